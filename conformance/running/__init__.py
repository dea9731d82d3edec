"""A whole run: worker processes, their limits, and what is left of those that are lost."""
