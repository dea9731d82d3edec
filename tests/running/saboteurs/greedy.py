"""Implementations that take more memory than there is."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
from saboteur import before, declare

from conformance import implementation

IN_A_CHILD = """
taken = []
while True:
    taken.append(bytearray(b"x") * 2**25)
"""


def take_memory() -> None:
    taken = []
    while True:
        taken.append(np.ones(2**22))


greedy = implementation("greedy", **declare)(before(take_memory, "crash", "of memory"))
greedy_child = implementation("greedy-child", **declare)(
    before(lambda: subprocess.run([sys.executable, "-c", IN_A_CHILD]), "crash", "of memory")
)
