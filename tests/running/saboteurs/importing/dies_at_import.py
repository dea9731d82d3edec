"""Dies when it is imported."""

import ctypes

from saboteur import declare, right

from conformance import implementation

ctypes.string_at(0)

loss = implementation("dies-at-import", **declare)(right)
