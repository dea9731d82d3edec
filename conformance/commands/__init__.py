"""What a person types: arguments in, progress and a summary out."""
