"""Cross-entropy in plain JavaScript, of Node.js: the reference harness (docs/protocol.md)."""

from conformance import harness

cross_entropy = harness("javascript-stable", "node javascript/stable.mjs", framework="javascript")
