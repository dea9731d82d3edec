"""What a first look costs: the quick profile is for the impatient."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from time import perf_counter

import pytest

SECONDS = 20.0


@pytest.mark.slow
@pytest.mark.nightly
def test_the_quick_profile_judges_a_numpy_implementation_in_twenty_seconds(tmp_path: Path) -> None:
    command = ["run", "numpy-stable", "--profile", "quick", "--workers", "1"]
    started = perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "conformance", *command, "--output", str(tmp_path)],
        capture_output=True,
        text=True,
    )
    seconds = perf_counter() - started
    print(f"{seconds:.1f} s for four dtypes")
    assert done.returncode == 0, done.stdout + done.stderr
    assert seconds <= SECONDS
