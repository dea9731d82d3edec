"""Takes its time to be imported."""

import time

from saboteur import declare, right

from conformance import implementation

time.sleep(5)

loss = implementation("slow-at-import", **declare)(right)
