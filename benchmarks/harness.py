"""What the harness costs per searched example, without the implementation's own time.

The bar: what seven bare Hypothesis draws cost, plus 0.6 ms for float32 and 1.2 ms for float64, with
a cold oracle (every example is a new question), for the value and the gradient of small batches.
"""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from conformance.contract.discovery import find
from conformance.contract.session import open_session
from conformance.judging.cell import Judge
from conformance.judging.offered import supported_space
from conformance.judging.profiles import Profile
from conformance.properties import BY_SLUG

EXAMPLES = 1000
ALLOWANCE = {"float32": 0.6e-3, "float64": 1.2e-3}


class Timed:
    """A session that keeps account of the time spent inside the implementation."""

    def __init__(self, session: Any) -> None:
        self.session = session
        self.seconds = 0.0

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self.session, name)
        if name not in ("loss", "gradient"):
            return attribute

        def timed(*arguments: Any, **options: Any) -> Any:
            started = perf_counter()
            try:
                return attribute(*arguments, **options)
            finally:
                self.seconds += perf_counter() - started

        return timed


def seconds_of(run: Callable[[], Any]) -> float:
    started = perf_counter()
    run()
    return perf_counter() - started


def seven_bare_draws() -> float:
    """Seconds per example of a test that draws seven plain values and does nothing."""

    @settings(
        max_examples=EXAMPLES,
        database=None,
        deadline=None,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    @given(
        st.integers(0, 2**63),
        st.integers(0, 7),
        st.integers(0, 7),
        st.floats(0, 1),
        st.booleans(),
        st.sampled_from(("none", "mean", "sum")),
        st.lists(st.integers(0, 100), max_size=3),
    )
    def bare(a: int, b: int, c: int, d: float, e: bool, f: str, g: list[int]) -> None:
        pass

    return seconds_of(bare) / EXAMPLES


def searched_example(slug: str, dtype: str) -> float:
    """Seconds per searched example of a property, the implementation's own time taken off."""
    session = Timed(open_session(find(["numpy-stable"])[0].load()))
    prop = BY_SLUG[slug]
    small = tuple(r for r in prop.space.regimes if r not in ("wide", "many-rows"))
    prop = type(prop)(**{**vars(prop), "space": prop.space.but(regimes=small)})
    judge = Judge(
        session=session,  # type: ignore[arg-type]
        prop=prop,
        dtype=dtype,
        narrow=supported_space(prop, session, dtype),  # type: ignore[arg-type]
        profile=Profile("benchmark", corpus_per_regime=1, searched=EXAMPLES),
        seed=1,
        known=(),
        watch=lambda case: None,
    )
    total = seconds_of(judge.search)
    if judge.failure is not None:
        raise SystemExit(f"{slug} in {dtype}: {judge.failure.violation.message}")
    return (total - session.seconds) / judge.tally.executed["searched"]


def main() -> None:
    bare = min(seven_bare_draws() for _ in range(3))
    print(f"seven bare draws: {bare * 1e3:.3f} ms per example")
    for dtype, allowance in ALLOWANCE.items():
        for slug in ("loss-formula", "gradient-formula"):
            cost = min(searched_example(slug, dtype) for _ in range(3))
            limit = bare + allowance
            verdict = "within" if cost <= limit else "OVER"
            print(
                f"{slug:17} {dtype}: {cost * 1e3:.3f} ms, {verdict} the bar of {limit * 1e3:.3f} ms"
            )


if __name__ == "__main__":
    main()
