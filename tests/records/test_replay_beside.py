"""A replay script of an adapter that looks for files beside itself finds them in its folder."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np

from conformance.cases.case import Case
from conformance.records.replay_script import replay_prelude, replay_script
from conformance.records.witness import encode_case

ADAPTER = """
import sys
from pathlib import Path

from conformance import implementation

sys.path.append(str(Path(__file__).with_name("kernels")))
import losses


@implementation("helped")
def cross_entropy(logits, target, *, reduction="none"):
    return losses.zeros(logits)
"""


def test_it_is_run_in_the_folder_of_the_adapter(tmp_path: Path) -> None:
    case = Case(np.zeros((1, 2), np.float32), np.array([0]), reduction="none")
    witness = {"implementation": "helped", "property": "loss-formula", "device": "cpu"}
    witness |= {"dtype": "float32", "kind": "wrong", "message": "", "expected": "0.69 ± 1e-6"}
    script = replay_script({**witness, "got": "0.0", "case": encode_case(case)}, ADAPTER)
    (tmp_path / "bug.py").write_text(script, encoding="utf-8")
    folder = tmp_path / "adapters"
    (folder / "kernels").mkdir(parents=True)
    (folder / "kernels" / "losses.py").write_text("def zeros(x): return x[:, 0] * 0")
    done = subprocess.run(
        [sys.executable, "-I", tmp_path / "bug.py"], cwd=folder, capture_output=True, text=True
    )
    assert done.returncode == 1, done.stderr
    assert "loss: [0.]" in done.stdout


def test_others_may_be_run_anywhere() -> None:
    plain = ADAPTER.replace("__file__", "here")
    assert "run this script in the adapter's folder" in replay_prelude(ADAPTER)
    assert "__file__" not in replay_prelude(plain)
