"""``@implementation``: a decorated function is an implementation under test, complete.

    @implementation("mylib", distribution="mylib", dtypes=("float32", "float64"))
    def cross_entropy(logits, target, *, reduction="mean", ignore_index=-100):
        return mylib.ce(logits, target, reduction, ignore_index)

The signature is the declaration: without a ``weight`` parameter the weight properties are
``unsupported``.  Names and meanings are those of ``torch.nn.CrossEntropyLoss``.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from importlib import metadata
from pathlib import Path
from typing import Any

from conformance.contract.capabilities import (
    DERIVATIVES,
    NLL_OPTIONS,
    OPTIONS,
    STAGES,
    Capabilities,
    chosen,
    did_you_mean,
    read_parameters,
)
from conformance.contract.frameworks import FRAMEWORKS, Bridge, load_bridge
from conformance.contract.process import Process
from conformance.errors import AdapterError

Function = Callable[..., Any]


@dataclass(eq=False)
class Stage:
    """One piece of the loss that an implementation also offers by itself."""

    name: str
    function: Function
    owner: str
    pullback: Function | None = None

    def __call__(self, *arrays: Any, **options: Any) -> Any:
        return self.function(*arrays, **options)

    def vjp(self, function: Function) -> Function:
        """Decorate the stage's vector-Jacobian product, ``f(cotangent, *arrays, **options)``.

        Only adapters at NumPy level need it: the other frameworks have autodiff.
        """
        who = f"{self.owner}: the vjp of stage {self.name}"
        if self.pullback is not None:
            raise AdapterError(f"{who} is given twice: remove one")
        options = NLL_OPTIONS if self.name == "nll_loss" else ()
        read_parameters(function, who, ("cotangent", *_arrays(self.name)), options)
        self.pullback = function
        return function


@dataclass(eq=False)
class Implementation:
    """An implementation under test: a function, its optional pieces, and what it declares."""

    name: str
    function: Function
    framework: str
    distribution: str | None
    """The distribution (as pip knows it) whose version is reported; None for code of one's own."""
    description: str
    links: tuple[str, ...]
    source: Path | None
    """The adapter's file; None where there is none, as in a notebook."""
    declared: Capabilities = field(repr=False)
    pullback: Function | None = None
    stages: dict[str, Stage] = field(default_factory=dict)
    derivatives: dict[str, Function] = field(default_factory=dict)
    """Those beyond the vjp that the adapter gives itself, by name."""
    process: Process | None = None
    """The process that answers; None: this one."""

    def __call__(self, logits: Any, target: Any, **options: Any) -> Any:
        return self.function(logits, target, **options)

    @property
    def capabilities(self) -> Capabilities:
        """What may be asked.  Raises ``MissingFrameworkError``: layouts are the framework's."""
        bridge = self.bridge
        return replace(
            self.declared,
            layouts=bridge.LAYOUTS,
            gradient=bridge.AUTODIFF or self.pullback is not None,
            stages=tuple(name for name in STAGES if name in self.stages),
            stage_gradients=bool(self.stages)
            and (bridge.AUTODIFF or all(stage.pullback for stage in self.stages.values())),
            derivatives=tuple(name for name in DERIVATIVES if self._offers(name, bridge)),
        )

    def _offers(self, derivative: str, bridge: Bridge) -> bool:
        if derivative == "target_vjp" and "probabilities" not in self.declared.targets:
            return False
        automatic = bridge.AUTODIFF and derivative in self.declared.derivatives
        return automatic or derivative in self.derivatives

    @property
    def adapter(self) -> str | None:
        """The source of its adapter, by which it is asked again; None where there is none."""
        if self.source is None and self.process:
            return self.process.adapter(self.name)
        return self.source.read_text("utf-8", "replace") if self.source else None

    @property
    def bridge(self) -> Bridge:
        """What carries arrays to it and back.  Raises ``MissingFrameworkError``."""
        return load_bridge("process" if self.process else self.framework)

    @property
    def version(self) -> str | None:
        """The installed version of ``distribution``, or the one that its process says."""
        if self.process:
            return self.process.hello.get("version")
        return self.distribution and installed_version(self.distribution)

    def vjp(self, function: Function) -> Function:
        """Decorate the vector-Jacobian product, ``f(cotangent, logits, target, **options)``.

        It returns d<cotangent, loss>/d logits and then stands in for the framework's autodiff.
        """
        who = f"{self.name}: the vjp"
        if self.pullback is not None:
            raise AdapterError(f"{who} is given twice: remove one")
        self._require(function, who, ("cotangent", "logits", "target"), OPTIONS)
        self.pullback = function
        return function

    def jvp(self, function: Function) -> Function:
        """Decorate forward mode, ``f(tangent, logits, target, **options)``.

        It returns the derivative of the loss along the tangent, which is shaped as the logits; the
        result is shaped as the loss.  Only adapters at NumPy level need it, as the next two: where
        there is autodiff, they stand in for it.
        """
        return self._derive("jvp", function, ("tangent", "logits", "target"))

    def hvp(self, function: Function) -> Function:
        """Decorate second order, ``f(cotangent, tangent, logits, target, **options)``.

        It returns the Hessian of <cotangent, loss> times the tangent, shaped as the logits.
        """
        return self._derive("hvp", function, ("cotangent", "tangent", "logits", "target"))

    def target_vjp(self, function: Function) -> Function:
        """Decorate the vjp of probabilities, ``f(cotangent, logits, target, **options)``.

        It returns d<cotangent, loss>/d target, shaped as the target.
        """
        return self._derive("target_vjp", function, ("cotangent", "logits", "target"))

    def _derive(self, name: str, function: Function, arrays: Sequence[str]) -> Function:
        who = f"{self.name}: the {name}"
        if name in self.derivatives:
            raise AdapterError(f"{who} is given twice: remove one")
        self._require(function, who, arrays, OPTIONS)
        self.derivatives[name] = function
        return function

    def softmax(self, function: Function) -> Stage:
        """Decorate ``softmax(logits)`` along the class axis: 1, or 0 for one row alone."""
        return self._offer("softmax", function)

    def log_softmax(self, function: Function) -> Stage:
        """Decorate ``log_softmax(logits)`` along the class axis: 1, or 0 for one row alone."""
        return self._offer("log_softmax", function)

    def nll_loss(self, function: Function) -> Stage:
        """Decorate ``nll_loss(log_probabilities, target, **options)``.

        Of ``weight``, ``ignore_index`` and ``reduction`` it takes those that the loss takes.
        """
        return self._offer("nll_loss", function)

    def _offer(self, name: str, function: Function) -> Stage:
        who = f"{self.name}: stage {name}"
        if name in self.stages:
            raise AdapterError(f"{who} is given twice: remove one")
        self._require(function, who, _arrays(name), NLL_OPTIONS if name == "nll_loss" else ())
        self.stages[name] = Stage(name, function, self.name)
        return self.stages[name]

    def _require(
        self, function: Function, who: str, arrays: Sequence[str], known: Sequence[str]
    ) -> None:
        """A piece must be able to take the options that the loss takes."""
        parameters = read_parameters(function, who, arrays, known)
        missing = self.declared.options.intersection(known).difference(parameters.names)
        if missing and not parameters.forwards:
            raise AdapterError(
                f"{who} lacks {', '.join(sorted(missing))}, which the loss takes: add the "
                "parameter, or **options"
            )


def implementation(
    name: str,
    *,
    dtypes: Sequence[str],
    framework: str = "numpy",
    distribution: str | None = None,
    devices: Sequence[str] = ("cpu",),
    targets: Sequence[str] = ("indices",),
    shapes: Sequence[str] = ("batched",),
    reductions: Sequence[str] | None = None,
    target_dtypes: Sequence[str] = ("int64",),
    options: Sequence[str] | None = None,
    derivatives: Sequence[str] = DERIVATIVES,
    description: str = "",
    links: Sequence[str] = (),
) -> Callable[[Function], Implementation]:
    """Make an implementation under test of ``f(logits, target, *, option=...)``.

    The function gets and returns arrays of ``framework``: logits (N, C), or as ``shapes`` says, in
    one of ``dtypes``; target class indices (N,) in one of ``target_dtypes``, or probabilities in
    the logits' shape and dtype.  Its options are its keyword parameters of the names ``weight``,
    ``ignore_index``, ``label_smoothing``, ``reduction``, ``size_average`` and ``reduce``; a
    function that only forwards may take ``**options`` and list their names in ``options``.
    ``reductions`` is needed where there is no ``reduction`` parameter, and names the one computed.
    ``derivatives`` names what its autodiff promises beyond the gradient, of ``jvp``, ``hvp`` and
    ``target_vjp``; a kernel that can be differentiated once, backwards, says ``derivatives=()``.
    ``description`` is one line, by default the first of the function's docstring.

    Raises ``AdapterError`` for a declaration that is unclear or contradicts itself.
    """
    if not isinstance(name, str):
        raise AdapterError('a name is needed: @implementation("my-loss", dtypes=("float32",))')
    if not re.fullmatch(r"[a-z0-9]+([.-][a-z0-9]+)*", name):
        fixed = re.sub(r"[^a-z0-9.]+", "-", name.lower()).strip("-.")
        raise AdapterError(
            f"{name!r} is not a name for an implementation: lower-case letters, digits, single "
            f"hyphens and dots" + (f", as in {fixed!r}" if fixed else "")
        )
    if framework not in FRAMEWORKS:
        raise AdapterError(
            f"{name}: there is no framework {framework!r}{did_you_mean(framework, FRAMEWORKS)}; "
            f"there are {', '.join(FRAMEWORKS)}; anything else is wrapped as NumPy arrays"
        )
    for keyword, value in (("devices", devices), ("links", links)):
        if isinstance(value, str):
            raise AdapterError(f'{name}: {keyword} is a tuple: write {keyword}=("{value}",)')
    source = Path(sys._getframe(1).f_code.co_filename)

    def decorate(function: Function) -> Implementation:
        taken = _options(name, function, options)
        first_line = (getattr(function, "__doc__", None) or "").strip().partition("\n")[0]
        return Implementation(
            name=name,
            function=function,
            framework=framework,
            distribution=distribution,
            description=description or first_line,
            links=tuple(links),
            source=source.resolve() if source.is_file() else None,
            declared=Capabilities(
                options=taken,
                dtypes=chosen(name, "dtypes", dtypes),
                devices=tuple(devices),
                targets=chosen(name, "targets", targets),
                shapes=chosen(name, "shapes", shapes),
                reductions=_reductions(name, taken, reductions),
                target_dtypes=chosen(name, "target_dtypes", target_dtypes),
                layouts=(),
                gradient=False,
                stages=(),
                stage_gradients=False,
                derivatives=chosen(name, "derivatives", derivatives) if derivatives else (),
            ),
        )

    return decorate


def installed_version(distribution: str) -> str | None:
    """The version of an installed distribution, or of one that provides the same import.

    TensorFlow for one is ``tensorflow`` to whoever imports it, and ``tensorflow-cpu`` to pip.
    """
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        module = distribution.replace("-", "_")
        providers = metadata.packages_distributions().get(module, [])
        return metadata.version(providers[0]) if providers else None


def _arrays(stage: str) -> tuple[str, ...]:
    return ("log_probabilities", "target") if stage == "nll_loss" else ("logits",)


def _options(name: str, function: Function, listed: Sequence[str] | None) -> frozenset[str]:
    """The options of the signature, and those listed for ``**options``."""
    parameters = read_parameters(function, name, ("logits", "target"), OPTIONS)
    if parameters.forwards and listed is None:
        raise AdapterError(
            f"{name}: **options does not say which: list them, as in "
            'options=("weight", "reduction")'
        )
    if listed is None:
        return frozenset(parameters.names)
    if not parameters.forwards:
        raise AdapterError(
            f"{name}: options=... goes with a function that takes **options; this one's options "
            "are its keyword parameters, so leave options out"
        )
    return frozenset(parameters.names) | frozenset(chosen(name, "options", listed))


def _reductions(
    name: str, options: frozenset[str], declared: Sequence[str] | None
) -> tuple[str, ...]:
    if "reduction" in options:
        return chosen(name, "reductions", ("none", "mean", "sum") if declared is None else declared)
    reductions = () if declared is None else chosen(name, "reductions", declared)
    if len(reductions) != 1:
        raise AdapterError(
            f"{name}: without a reduction parameter the suite must be told the one reduction that "
            'is computed: write reductions=("none",), ("mean",) or ("sum",)'
        )
    return reductions
