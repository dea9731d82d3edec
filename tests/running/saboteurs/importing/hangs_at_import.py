"""Never comes back from its import."""

import ctypes

from saboteur import declare, right

from conformance import implementation

ctypes.PyDLL(None).sleep(10**6)

loss = implementation("hangs-at-import", **declare)(right)
