"""What multiplies the log-probabilities of each row, in magnitude: |c_c| in l = sum_c c_c l_c.

c_c = (1 - e) w_y [c = y] + (e / C) w_c for class indices, w_c ((1 - e) q_c + e / C) for
probabilities; 0 in ignored rows.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from conformance.spec.oracle import Solution

Float64 = NDArray[np.float64]


class Coefficients:
    """|c_c| of all rows, without making the matrix where most of it is zero."""

    def __init__(self, solution: Solution) -> None:
        self.problem = problem = solution.problem
        self.own = np.abs(solution.factor)
        self.weight = None if problem.weight is None else np.abs(problem.weight)
        classes = problem.logits.shape[1]
        e = problem.label_smoothing
        self.each = e / classes
        if problem.soft:
            c = (1 - e) * np.abs(problem.probabilities) + self.each
            self.matrix = c if self.weight is None else c * self.weight
            self.mass: Float64 = self.matrix.sum(1)
            """(M,): sum_c |c_c|."""
            return
        self.mass = (1 - e) * self.own
        if e:
            total = classes if self.weight is None else float(self.weight.sum())
            self.mass += (self.each * total) * problem.kept

    def add_to(self, values: Float64, factor: Float64, rows: slice = slice(None)) -> None:
        """Add |c_c| times a factor, () or (M,), to (some rows of) an (M, C) array, in place."""
        column = factor[rows, None] if factor.ndim else factor
        if self.problem.soft:
            values += self.matrix[rows] * column
            return
        if self.each:
            share = self.each * column
            values += share if self.weight is None else share * self.weight
        label = self.problem.label[rows]
        own = self.own[rows] * (factor[rows] if factor.ndim else factor)
        values[np.arange(len(label)), label] += own


class Sizes(NamedTuple):
    """Sums of magnitudes over the classes of each row, (M,) each."""

    mass: Float64
    """Q = sum |c_c|."""
    reach: Float64
    """sum |c_c| d_c."""
    size: Float64
    """sum |c_c| l_c."""
    own: Float64
    """sum |q_c w_c| l_c: the part that smoothing scales by 1 - e."""
    overall: Float64 | None
    """sum |w_c| l_c, which smoothing scales by e / C."""
    largest: Float64 | None
    """max d_c, where all classes have a part."""


def sizes_of(solution: Solution) -> Sizes:
    """The sums of magnitudes of a solution."""
    problem, rows = solution.problem, solution.softmax
    weight = None if problem.weight is None else np.abs(problem.weight)
    largest = overall = None
    if problem.soft:
        q = np.abs(problem.probabilities)
        if weight is not None:
            q *= weight
        mass = q.sum(1)
        reach, largest = rows.weighted_distances(q)
    else:
        label = problem.label
        mass = np.abs(solution.factor)
        reach = mass * (rows.maximum - rows.logits[np.arange(len(label)), label])
    own = mass * rows.log_sum + reach
    e = problem.label_smoothing
    if e:
        classes = rows.logits.shape[1]
        flat_mass = float(classes) if weight is None else float(weight.sum())
        flat_reach, largest = rows.weighted_distances(weight)
        each = e / classes * problem.kept
        mass = (1 - e) * mass + each * flat_mass
        reach = (1 - e) * reach + each * flat_reach
        overall = flat_mass * rows.log_sum + flat_reach
        overall[problem.ignored] = 0.0
    return Sizes(mass, reach, mass * rows.log_sum + reach, own, overall, largest)
