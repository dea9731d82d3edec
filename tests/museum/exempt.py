"""Faults of the catalogue without an exhibit: what one call on a CPU cannot show, and why."""

from __future__ import annotations

EXEMPT: dict[str, str] = {
    "IGN-15": "probabilities have no ignored rows in the definition that is tested here: an"
    " implementation that takes ignore_index beside them and does nothing with it is right",
    "SFT-07": "a mixed second derivative, by logits and labels both: no question here asks for one",
    "DTY-02": "a running sum in float32 is a right way to sum (it is in the other wing): its"
    " error leaves the bound of no order of summation, it only grows with ten million rows",
    "DEG-02": "C = 0: a distribution over no classes does not exist, and no question asks for one",
    "INV-07": "probabilities that are negative or above 1 are accepted by the definition tested"
    " here, as the formula has them: nothing to reject",
    "PAR-06": "the gradient by the embedding of a fused linear layer: no question here has one",
}
"""Why, by code."""
