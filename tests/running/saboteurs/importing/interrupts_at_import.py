"""Interrupts whoever imports it."""

from saboteur import declare, right

from conformance import implementation

raise KeyboardInterrupt

loss = implementation("interrupts-at-import", **declare)(right)
