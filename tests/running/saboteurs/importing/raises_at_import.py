"""Cannot be imported."""

from saboteur import declare, right

from conformance import implementation

raise RuntimeError("not today")

loss = implementation("raises-at-import", **declare)(right)
