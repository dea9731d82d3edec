"""An implementation on a device, ready to be asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from conformance.contract.frameworks import Bridge
from conformance.contract.implementation import Implementation, Stage
from conformance.contract.settings import PROCESS, Snapshot, arithmetic_kept
from conformance.errors import AdapterError, UsageError

Array = NDArray[Any]

CHAINS: dict[str, tuple[str, str]] = {
    "softmax-log-nll": ("softmax", "nll_loss"),
    "log_softmax-nll": ("log_softmax", "nll_loss"),
}
"""The chains that rebuild the loss from its stages, and the two stages that each needs."""


def open_session(implementation: Implementation, device: str = "cpu") -> Session:
    """Prepare an implementation to be asked on a device, such as ``cpu``, ``cuda`` or ``cuda:1``.

    Raises ``MissingFrameworkError`` where its framework is not installed, and ``UsageError`` for a
    device that the adapter does not declare or that the framework does not see.
    """
    bridge: Any = implementation.bridge  # a module: it can be hashed
    kinds = {device, device.partition(":")[0]}
    declared, present = implementation.declared.devices, bridge.devices()
    if kinds.isdisjoint(declared):
        raise UsageError(
            f"{implementation.name} declares {', '.join(declared)}, not {device!r}: ask it there, "
            "or add the device to devices=(...) of its adapter"
        )
    if device not in {*present, *(name.partition(":")[0] for name in present)}:
        raise UsageError(
            f"{implementation.framework} sees no device {device!r} here; it sees "
            f"{', '.join(present) or 'none'}"
        )
    return Session(implementation, bridge, device, _at_first(bridge, device))


@cache
def _at_first(bridge: Bridge, device: str) -> Snapshot:
    """The settings of this process when a framework was first asked on a device."""
    settings = {**PROCESS, **bridge.SETTINGS}
    with bridge.on(device):
        return Snapshot({name: s for name, s in settings.items() if s.rewound})


@dataclass(frozen=True)
class Session:
    """An implementation on a device.  NumPy arrays go in and come out.

    The strides and flags of the arrays given are their layout, which the implementation sees too.
    It may see their very memory, so that one which writes to its arguments writes to these: give
    each call its own.  What the implementation raises passes through unchanged; an adapter that
    returns no array raises ``AdapterError``.  Whatever a call does to the rounding mode and its
    like, the arithmetic after it is that before it.
    """

    implementation: Implementation
    bridge: Bridge
    device: str
    at_first: Snapshot = field(repr=False, compare=False)
    """The settings of the process before the first call of all."""
    noticed: str = ""
    """What the import or the very first calls changed: ``changes_by_calls`` says it each time."""

    def loss(self, logits: Array, target: Array, **options: Any) -> Array:
        """The loss in the implementation's own dtype: one a row for ``none``, else of shape ()."""
        return self._ask(self.implementation.function, (logits, target), options)

    def gradient(self, cotangent: Array, logits: Array, target: Array, **options: Any) -> Array:
        """d<cotangent, loss>/d logits, by the adapter's vjp or else the framework's autodiff."""
        return self._ask(self._pullback, (cotangent, logits, target), options)

    def gradient_after_others(
        self, cotangent: Array, logits: Array, target: Array, **options: Any
    ) -> Array:
        """The gradient asked once more, after forward and backward passes of other logits.

        Forward with the logits, forward with the others, which are their negatives; backward for
        the others, backward for the logits, and again: the last is returned.
        """

        def ask(cotangent: Any, logits: Any, target: Any, **options: Any) -> Any:
            pull = self._forward(logits, target, options)
            pull_others = self._forward(-logits, target, options)
            pull_others(cotangent)
            pull(cotangent)
            return pull(cotangent)

        return self._ask(ask, (cotangent, logits, target), options)

    def kept_loss(self, logits: Array, target: Array, **options: Any) -> Array:
        """The loss, looked at only after that of the negated logits was asked."""
        return self._ask(self._kept(self.implementation.function), (logits, target), options)

    def kept_gradient(
        self, cotangent: Array, logits: Array, target: Array, **options: Any
    ) -> Array:
        """The gradient, looked at only after that for the negated logits was asked."""
        return self._ask(self._kept(self._pullback), (cotangent, logits, target), options)

    def jvp(self, tangent: Array, logits: Array, target: Array, **options: Any) -> Array:
        """The derivative of the loss along the tangent, by forward mode; of the loss's shape."""
        return self._ask(self._derivative("jvp"), (tangent, logits, target), options)

    def hvp(
        self, cotangent: Array, tangent: Array, logits: Array, target: Array, **options: Any
    ) -> Array:
        """The Hessian of <cotangent, loss> times the tangent, shaped as the logits."""
        return self._ask(self._derivative("hvp"), (cotangent, tangent, logits, target), options)

    def target_gradient(
        self, cotangent: Array, logits: Array, target: Array, **options: Any
    ) -> Array:
        """d<cotangent, loss>/d target, for a target of probabilities."""
        return self._ask(self._derivative("target_vjp"), (cotangent, logits, target), options)

    def stage(self, name: str, *arrays: Array, **options: Any) -> Array:
        """The value of one stage: ``softmax``, ``log_softmax`` or ``nll_loss``."""
        return self._ask(self._stage(name).function, arrays, options)

    def chain_loss(self, chain: str, logits: Array, target: Array, **options: Any) -> Array:
        """The loss rebuilt from stages; chain is ``softmax-log-nll`` or ``log_softmax-nll``."""
        return self._ask(self._chain(chain), (logits, target), options)

    def chain_gradient(
        self, chain: str, cotangent: Array, logits: Array, target: Array, **options: Any
    ) -> Array:
        """d<cotangent, chain>/d logits, by the stages' vjps or else the framework's autodiff."""
        pullback = self._chain_pullback(chain) or self._autodiff(self._chain(chain))
        return self._ask(pullback, (cotangent, logits, target), options)

    def arguments_after_loss(
        self, logits: Array, target: Array, **options: Any
    ) -> dict[str, Array]:
        """The array arguments, by name, as the device holds them after the loss.

        By this an implementation that writes to its arguments is found out on any device.
        """
        arrays = {"logits": logits, "target": target}
        return self._arguments_after(self.implementation.function, arrays, options)

    def arguments_after_gradient(
        self, cotangent: Array, logits: Array, target: Array, **options: Any
    ) -> dict[str, Array]:
        """The array arguments, by name, as the device holds them after the gradient."""
        arrays = {"cotangent": cotangent, "logits": logits, "target": target}
        return self._arguments_after(self._pullback, arrays, options)

    def changes_by_calls(
        self, cotangent: Array, logits: Array, target: Array, **options: Any
    ) -> str:
        """What the loss, or the gradient where there is one, changes of the settings that the
        process shares; empty if nothing.

        The calls find the settings as they were before the first call of all, so that what every
        call does is seen in each.  A change that a framework may make once counts if a second call
        makes it again.  Afterwards the settings are those found, as far as ``Snapshot.restore`` can
        tell them.
        """
        calls: dict[str, tuple[Callable[..., Any], tuple[Array, ...]]]
        calls = {"the loss": (self.implementation.function, (logits, target))}
        if self.implementation.capabilities.gradient:
            calls["the gradient"] = (self._pullback, (cotangent, logits, target))
        said = [self.noticed] if self.noticed else []
        with self.bridge.on(self.device), arithmetic_kept():
            found = self._settings()
            try:
                for name, (function, arrays) in calls.items():
                    if changed := self._changes(function, arrays, options):
                        said.append(f"{name} changed {', '.join(changed)}")
            finally:
                found.restore()
        return "; ".join(dict.fromkeys(said))

    def _changes(
        self, function: Callable[..., Any], arrays: tuple[Array, ...], options: dict[str, Any]
    ) -> list[str]:
        def after_a_call(*, once: bool) -> tuple[list[str], bool]:
            native = [self._native(np.asarray(array)) for array in arrays]
            keywords = {name: self._native(value) for name, value in options.items()}
            self.at_first.restore()
            before = self._settings()
            function(*native, **keywords)
            changed, perhaps_once = before.changes(once=once), bool(before.changes(once=True))
            before.restore()
            return changed, perhaps_once

        changed, perhaps_once = after_a_call(once=False)
        if perhaps_once:
            changed += after_a_call(once=True)[0]
        return changed

    def _settings(self) -> Snapshot:
        return Snapshot({**PROCESS, **self.bridge.SETTINGS})

    def _arguments_after(
        self, function: Callable[..., Any], arrays: dict[str, Array], options: dict[str, Any]
    ) -> dict[str, Array]:
        with self.bridge.on(self.device), arithmetic_kept():
            positional = {name: self._native(array) for name, array in arrays.items()}
            keywords = {name: self._native(value) for name, value in options.items()}
            function(*positional.values(), **keywords)
            after = {**positional, **keywords}.items()
            return {
                n: self.bridge.to_numpy(a) for n, a in after if isinstance(a, self.bridge.Array)
            }

    def _ask(
        self, function: Callable[..., Any], arrays: tuple[Array, ...], options: dict[str, Any]
    ) -> Array:
        with self.bridge.on(self.device), arithmetic_kept():
            native = [self._native(np.asarray(array)) for array in arrays]
            keywords = {name: self._native(value) for name, value in options.items()}
            return self.bridge.to_numpy(self._array(function(*native, **keywords)))

    def _native(self, value: Any) -> Any:
        return self.bridge.to_native(value, self.device) if isinstance(value, np.ndarray) else value

    def _array(self, value: Any) -> Any:
        """What an adapter returned, which must be an array of its framework."""
        if isinstance(value, self.bridge.Array):
            return value
        raise AdapterError(
            f"{self.implementation.name} returned {type(value).__name__} where an array belongs: "
            f"let its adapter return {self.implementation.framework} arrays only"
        )

    @property
    def _pullback(self) -> Callable[..., Any]:
        return self.implementation.pullback or self._autodiff(self.implementation.function)

    def _autodiff(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def pullback(cotangent: Any, logits: Any, target: Any, **options: Any) -> Any:
            def loss(x: Any) -> Any:
                return self._array(function(x, target, **options))

            return self.bridge.vjp(loss, logits, cotangent)

        return pullback

    def _kept(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def first(*arrays: Any, **options: Any) -> Any:
            *cotangent, logits, target = arrays
            result = self._array(function(*arrays, **options))
            function(*cotangent, -logits, target, **options)
            return result

        return first

    def _forward(self, logits: Any, target: Any, options: dict[str, Any]) -> Callable[[Any], Any]:
        """The forward pass now; what is returned pulls a cotangent back through it."""
        function, own = self.implementation.function, self.implementation.pullback
        if own is None:
            return self.bridge.pullback(
                lambda x: self._array(function(x, target, **options)), logits
            )
        function(logits, target, **options)
        return lambda cotangent: own(cotangent, logits, target, **options)

    def _derivative(self, name: str) -> Callable[..., Any]:
        """A derivative beyond the gradient: the adapter's own, or by the framework's autodiff."""
        automatic: dict[str, Callable[..., Any]] = {
            "jvp": self._jvp,
            "hvp": self._hvp,
            "target_vjp": self._target_vjp,
        }
        return self.implementation.derivatives.get(name) or automatic[name]

    def _jvp(self, tangent: Any, logits: Any, target: Any, **options: Any) -> Any:
        def loss(x: Any) -> Any:
            return self._array(self.implementation.function(x, target, **options))

        return self.bridge.jvp(loss, logits, tangent)

    def _hvp(self, cotangent: Any, tangent: Any, logits: Any, target: Any, **options: Any) -> Any:
        own = self.implementation.pullback
        if own is not None:
            return self.bridge.vjp(lambda x: own(cotangent, x, target, **options), logits, tangent)

        def loss(x: Any) -> Any:
            return self._array(self.implementation.function(x, target, **options))

        return self.bridge.hvp(loss, logits, cotangent, tangent)

    def _target_vjp(self, cotangent: Any, logits: Any, target: Any, **options: Any) -> Any:
        def loss(q: Any) -> Any:
            return self._array(self.implementation.function(logits, q, **options))

        gradient = self.bridge.vjp(loss, target, cotangent)
        # None: the loss takes the target for a constant, whose gradient is zero.
        return target - target if gradient is None else gradient

    def _stage(self, name: str) -> Stage:
        try:
            return self.implementation.stages[name]
        except KeyError:
            raise UsageError(f"{self.implementation.name} offers no stage {name!r}") from None

    def _chain(self, chain: str) -> Callable[..., Any]:
        first, nll_loss = map(self._stage, CHAINS[chain])

        def loss(logits: Any, target: Any, **options: Any) -> Any:
            x = self._array(first(logits))
            log_p = self.bridge.log(x) if first.name == "softmax" else x
            return nll_loss(log_p, target, **options)

        return loss

    def _chain_pullback(self, chain: str) -> Callable[..., Any] | None:
        """The chain backwards, where both of its stages give their vjp."""
        first, nll_loss = map(self._stage, CHAINS[chain])
        first_pullback, nll_pullback = first.pullback, nll_loss.pullback
        if first_pullback is None or nll_pullback is None:
            return None

        def pullback(cotangent: Any, logits: Any, target: Any, **options: Any) -> Any:
            x = self._array(first(logits))
            if first.name == "softmax":  # d log p = dp / p
                dx = nll_pullback(cotangent, self.bridge.log(x), target, **options) / x
            else:
                dx = nll_pullback(cotangent, x, target, **options)
            return first_pullback(dx, logits)

        return pullback
