"""Prints much when it is imported."""

from saboteur import declare, right

from conformance import implementation

print("noise " * 10**6)

loss = implementation("loud-at-import", **declare)(right)
