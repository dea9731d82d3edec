"""What an implementation says that it supports, and how that is read off its signature."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final

from conformance.errors import AdapterError
from conformance.spec.formats import FORMATS

OPTIONS: Final = (
    "weight",
    "ignore_index",
    "label_smoothing",
    "reduction",
    "size_average",
    "reduce",
)
NLL_OPTIONS: Final = ("weight", "ignore_index", "reduction")
STAGES: Final = ("softmax", "log_softmax", "nll_loss")
DERIVATIVES: Final = ("jvp", "hvp", "target_vjp")
LAYOUTS: Final = (
    "contiguous",
    "fortran",
    "class-last",
    "sliced",
    "expanded",
    "reversed",
    "read-only",
)

CHOICES: Final[dict[str, Sequence[str]]] = {
    "dtypes": tuple(FORMATS),
    "targets": ("indices", "probabilities"),
    "shapes": ("batched", "unbatched", "spatial"),
    "reductions": ("none", "mean", "sum"),
    "target_dtypes": tuple(f"{sign}int{bits}" for bits in (64, 32, 16, 8) for sign in ("", "u")),
    "options": OPTIONS,
    "derivatives": DERIVATIVES,
}
"""What may be declared: the closed lists, by the decorator's keyword."""


@dataclass(frozen=True)
class Capabilities:
    """What an implementation can be asked; everything else is ``unsupported`` for it."""

    options: frozenset[str]
    """Of ``weight``, ``ignore_index``, ``label_smoothing``, ``reduction``, ``size_average``, and
    ``reduce``."""
    dtypes: tuple[str, ...]
    """Of the logits, and so of the weight, the cotangent and target probabilities."""
    devices: tuple[str, ...]
    """Kinds of device, such as ``cpu`` and ``cuda``."""
    targets: tuple[str, ...]
    """Class ``indices``, class ``probabilities``, or both."""
    shapes: tuple[str, ...]
    """``batched`` is (N, C), ``unbatched`` (C,), ``spatial`` (N, C, d1..dk)."""
    reductions: tuple[str, ...]
    """Without a ``reduction`` option: the one that the implementation always computes."""
    target_dtypes: tuple[str, ...]
    """Of class indices."""
    layouts: tuple[str, ...]
    """What the framework can express: ``sliced`` has gaps, ``expanded`` a stride of 0, ``reversed``
    negative strides."""
    gradient: bool
    stages: tuple[str, ...]
    """The pieces offered, of ``softmax``, ``log_softmax`` and ``nll_loss``."""
    stage_gradients: bool
    """Whether chains of these pieces have a gradient."""
    derivatives: tuple[str, ...] = ()
    """Beyond the gradient, of ``jvp`` (forward mode), ``hvp`` (second order: the Hessian times a
    vector) and ``target_vjp`` (the gradient with respect to target probabilities)."""


@dataclass(frozen=True)
class Parameters:
    """The options that a function takes by keyword."""

    names: tuple[str, ...]
    forwards: bool
    """Whether it also takes ``**options``."""


def read_parameters(
    function: Callable[..., Any], who: str, arrays: Sequence[str], known: Sequence[str]
) -> Parameters:
    """Read the options of ``function(*arrays, **options)`` off its signature.

    ``who`` names the function in messages; ``arrays`` are what it gets by position, ``known`` the
    options there are; a function that knows none may have more parameters, and keeps their
    defaults.  Raises ``AdapterError`` for a signature that the suite cannot call so.
    """
    usage = f"{who} is called as f({', '.join(arrays)}{', *, option=...' if known else ''})"
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        raise AdapterError(
            f"{usage}, but {function!r} shows no signature: wrap it in a def"
        ) from None
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    inputs, others = parameters[: len(arrays)], parameters[len(arrays) :]
    if len(inputs) < len(arrays) or any(p.kind not in positional for p in inputs):
        raise AdapterError(f"{usage}, but it does not take {len(arrays)} arguments by position")
    for parameter, name in zip(inputs, arrays, strict=True):
        if parameter.name in {*known, *arrays} - {name}:
            raise AdapterError(f"{usage}, but has {parameter.name!r} where {name!r} belongs")
    names, forwards = [], False
    for parameter in others:
        if parameter.kind is inspect.Parameter.VAR_KEYWORD:
            forwards = bool(known)
        elif parameter.kind is inspect.Parameter.VAR_POSITIONAL:
            raise AdapterError(f"{usage}: options go by keyword, so drop *{parameter.name}")
        elif known and parameter.name not in known:
            raise AdapterError(
                f"{who}: unknown parameter {parameter.name!r}"
                f"{did_you_mean(parameter.name, known)}; the options are {', '.join(known)}"
            )
        elif parameter.kind is inspect.Parameter.POSITIONAL_ONLY:
            raise AdapterError(f"{who}: {parameter.name!r} must be a keyword: drop the '/'")
        elif parameter.default is parameter.empty:
            raise AdapterError(
                f"{who}: {parameter.name!r} needs a default: what a case does not set, it leaves "
                "out of the call"
            )
        else:
            names.append(parameter.name)
    return Parameters(tuple(names), forwards)


def chosen(who: str, keyword: str, values: Sequence[str]) -> tuple[str, ...]:
    """Check one of the decorator's lists against what there is; ``AdapterError`` says what is."""
    example = f'{keyword}=("{values if isinstance(values, str) else CHOICES[keyword][0]}",)'
    if isinstance(values, str) or not isinstance(values, Collection):
        raise AdapterError(f"{who}: {keyword} is a tuple of names: write {example}")
    if not values:
        raise AdapterError(f"{who}: {keyword} is empty: leave it out, or write {example}")
    for value in values:
        if value not in CHOICES[keyword]:
            raise AdapterError(
                f"{who}: {keyword} has no {value!r}{did_you_mean(value, CHOICES[keyword])}; "
                f"there are {', '.join(CHOICES[keyword])}"
            )
    return tuple(dict.fromkeys(values))


def did_you_mean(word: object, words: Collection[str]) -> str:
    """A parenthesis for an error message: the likeliest of ``words``, or nothing."""
    likely = difflib.get_close_matches(str(word), words, n=1)
    return f" (did you mean {likely[0]!r}?)" if likely else ""
