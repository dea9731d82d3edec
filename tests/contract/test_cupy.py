"""CuPy's bridge and adapter, on a double of CuPy made of NumPy: the real one needs a GPU."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

from conformance.records.results import read_results

ROOT = Path(__file__).parents[2]
DOUBLE = {
    "cupy/__init__.py": """
        from numpy import *
        from numpy import array, lib, ndarray

        __version__ = "14.0"


        def asarray(a):
            return array(a, copy=True)  # on the device


        def asnumpy(a):
            return array(a, copy=True)


        class cuda:
            class Device:
                def __init__(self, index):
                    assert index < cuda.runtime.getDeviceCount()

                def __enter__(self):
                    return self

                def __exit__(self, *raised):
                    pass

            class runtime:
                class CUDARuntimeError(RuntimeError):
                    pass

                def getDeviceCount():
                    import os
                    if "NO_DRIVER" in os.environ:
                        raise cuda.runtime.CUDARuntimeError
                    return 1

                def getDevice():
                    return 0

                def setDevice(index):
                    assert index == 0
        """,
    "cupyx/__init__.py": "",
    "cupyx/scipy/__init__.py": "",
    "cupyx/scipy/special.py": "from scipy.special import log_softmax, softmax",
}


@pytest.fixture
def judged(tmp_path: Path):
    pytest.importorskip("scipy")
    for name, text in DOUBLE.items():
        path = tmp_path / "double" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text))

    def judge(**environment: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "conformance", "run", "cupy-log-softmax"]
        command += ["--device", "cuda", "--profile", "quick", "--output", str(tmp_path / "out")]
        paths = os.pathsep.join([str(tmp_path / "double"), str(ROOT)])
        environment = {**os.environ, "PYTHONPATH": paths, **environment}
        return subprocess.run(command, env=environment, capture_output=True, text=True)

    return judge


@pytest.mark.slow
def test_it_is_judged_on_its_device(judged, tmp_path: Path) -> None:
    done = judged()
    assert done.returncode == 0, done.stdout + done.stderr
    cells = read_results(tmp_path / "out" / "results.jsonl", strict=True).cells
    assert {cell["device"] for cell in cells} == {"cuda"}
    passed = {cell["property"] for cell in cells if cell["outcome"] == "pass"}
    assert {"accurate", "gradient-formula", "memory-layout", "repeatable-answer"} <= passed


def test_without_a_driver_there_is_no_device(judged) -> None:
    done = judged(NO_DRIVER="1")
    assert done.returncode == 3
    assert "cupy sees no device 'cuda' here; it sees none" in done.stdout


def test_the_double_has_what_cupy_has() -> None:
    cupy = pytest.importorskip("cupy")
    special = pytest.importorskip("cupyx.scipy.special")
    for name in ("ndarray", "asarray", "asnumpy", "arange", "log", "lib.stride_tricks.as_strided"):
        assert has(cupy, name)
    for name in ("Device", "runtime.getDeviceCount", "runtime.getDevice", "runtime.setDevice"):
        assert has(cupy.cuda, name)
    assert issubclass(cupy.cuda.runtime.CUDARuntimeError, Exception)
    assert has(special, "log_softmax")
    assert has(special, "softmax")


def has(module: object, name: str) -> bool:
    first, _, rest = name.partition(".")
    return hasattr(module, first) and (not rest or has(getattr(module, first), rest))
