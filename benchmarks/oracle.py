"""What the oracle and the bounds cost: `python benchmarks/oracle.py`, on one thread.

Wide rows are compared with torch's own float64 loss and gradient; tiny problems, which a search
asks by the thousand, are timed in microseconds.  Processor time, the best of many calls in
interleaved rounds, so that a busy machine disturbs little.  Exits with 1 where a figure misses its
target.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from conformance.spec.bounds import accurate, gradient_bound, loss_bound
from conformance.spec.formats import FLOAT64, FORMATS
from conformance.spec.oracle import solve
from conformance.spec.problem import make_problem

ROWS, CLASSES = 100, 32000
ROUNDS, CALLS = 4, 5


def best(tasks: dict[str, Callable[[], object]], repeat: int = 1) -> dict[str, float]:
    """Seconds a call of each task; ``repeat`` calls between two looks at the clock."""
    seconds = dict.fromkeys(tasks, float("inf"))
    for _ in range(ROUNDS):
        for name, task in tasks.items():
            for _ in range(CALLS):
                start = time.process_time()
                for _ in range(repeat):
                    task()
                seconds[name] = min(seconds[name], (time.process_time() - start) / repeat)
    return seconds


def wide() -> bool:
    """100 rows of 32000 classes."""
    rng = np.random.default_rng(1)
    x, target = rng.normal(0, 2, (ROWS, CLASSES)), rng.integers(0, CLASSES, ROWS)
    problem = make_problem(x, target)
    a = accurate(FLOAT64, CLASSES)

    def torch_both() -> None:
        logits = torch.from_numpy(x).requires_grad_()
        loss = torch.nn.functional.cross_entropy(logits, torch.from_numpy(target))
        torch.autograd.backward(loss)

    solution = solve(problem)

    def bounds() -> None:
        # Anew: a solution remembers sums over its classes.
        fresh = replace(solution, softmax=replace(solution.softmax))
        loss_bound(fresh, a)
        gradient_bound(fresh, a)

    seconds = best(
        {
            "torch": torch_both,
            "float64": lambda: solve(problem, engine="float64"),
            "double-double": lambda: solve(problem, engine="double-double"),
            "both bounds": bounds,
        }
    )
    print(f"{ROWS} x {CLASSES}, loss and gradient, float64, one thread")
    targets = {"torch": 1.0, "float64": 1.0, "double-double": 0.1, "both bounds": 0.1}
    ok = True
    for name, spent in seconds.items():
        speed = seconds["torch"] / spent
        ok &= speed >= targets[name]
        rate = ROWS * CLASSES / spent / 1e6
        print(
            f"  {name:14} {spent * 1e3:7.1f} ms {rate:6.0f} M logits/s"
            f"   {speed:5.2f} of torch's speed (at least {targets[name]})"
        )
    return ok


def tiny() -> bool:
    """A (4, 5) batch with weight, an ignored row and smoothing: problem, solution and bounds."""
    rng = np.random.default_rng(2)
    target = np.array([1, -100, 3, 0])
    print("4 x 5 with weight, ignore_index and label smoothing")
    ok = True
    limits = {"float32": 350, "float64": 900, "float16": 350, "bfloat16": 350}
    for name, limit in limits.items():
        dtype = FORMATS[name].dtype
        x, weight = rng.normal(0, 3, (4, 5)).astype(dtype), rng.random(5).astype(dtype)

        def ask(x: NDArray[Any] = x, weight: NDArray[Any] = weight) -> None:
            problem = make_problem(x, target, weight=weight, label_smoothing=0.1)
            solution = solve(problem)
            a = accurate(problem.format, 5)
            loss_bound(solution, a)
            gradient_bound(solution, a)

        (spent,) = best({name: ask}, repeat=50).values()
        ok &= spent * 1e6 <= limit
        print(f"  {name:14} {spent * 1e6:7.0f} µs (at most {limit})")
    return ok


if __name__ == "__main__":
    torch.set_num_threads(1)
    sys.exit(0 if wide() & tiny() else 1)
