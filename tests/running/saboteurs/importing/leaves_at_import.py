"""Leaves when it is imported."""

import os

from saboteur import declare, right

from conformance import implementation

os._exit(7)

loss = implementation("leaves-at-import", **declare)(right)
