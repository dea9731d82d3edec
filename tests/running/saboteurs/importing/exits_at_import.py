"""Exits when it is imported."""

import sys

from saboteur import declare, right

from conformance import implementation

sys.exit("not today")

loss = implementation("exits-at-import", **declare)(right)
