"""What of a property an implementation can be asked, and why nothing where it is nothing."""

from __future__ import annotations

from conformance.cases.space import Space
from conformance.contract.session import Session
from conformance.errors import Unsupported
from conformance.properties.property import DEVICES, Property

IN_THIS_PROCESS = "calls in this process"
"""What a property of memory and settings needs: a harness has its own."""


class Inapplicable(Unsupported):
    """The property asks nothing in this dtype, on this kind of device or of another process,
    whoever is asked."""


def supported_space(prop: Property, session: Session, dtype: str) -> Space:
    """The part of the property's space that the implementation supports.

    Raises ``Unsupported`` where there is none, and ``Inapplicable`` where nobody could have one.
    """
    has = session.implementation.capabilities
    offered = {
        "gradient": has.gradient,
        "stages": {"softmax", "nll_loss"} <= set(has.stages),
        "log_softmax stage": {"log_softmax", "nll_loss"} <= set(has.stages),
        "stage gradients": has.stage_gradients,
        "forward mode": "jvp" in has.derivatives,
        "second order": "hvp" in has.derivatives,
        "target gradient": "target_vjp" in has.derivatives,
        "legacy": {"size_average", "reduce"} <= has.options,
        "reduction none": "none" in has.reductions,
        "probabilities": "probabilities" in has.targets,
        "reduction argument": "reduction" in has.options,
        "ignore_index": "ignore_index" in has.options,
        IN_THIS_PROCESS: session.implementation.process is None,
    }
    if dtype not in has.dtypes:
        raise Unsupported(f"{dtype} is not offered")
    if dtype not in prop.dtypes:
        raise Inapplicable(f"not a question in {dtype}")
    if prop.devices not in ("any", "cpu" if session.device == "cpu" else "accelerators"):
        raise Inapplicable(DEVICES[prop.devices])
    if prop.poisons and session.device != "cpu":
        raise Unsupported(f"it may take {session.device} down: `conformance run` alone asks it")
    for need in prop.needs:
        if not offered[need]:
            kind = Inapplicable if need == IN_THIS_PROCESS else Unsupported
            raise kind(f"{need} not offered")
    return prop.space.narrow(has)
