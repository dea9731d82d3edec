"""Implementations are found by name, file, module and entry point, and faults are named."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib import metadata

import pytest

from conformance.contract import discovery
from conformance.contract.discovery import built_in_folder, find
from conformance.contract.frameworks import FRAMEWORKS
from conformance.errors import AdapterError, MissingFrameworkError, UsageError

ADAPTER = """\
from conformance import implementation

@implementation("{name}", dtypes=("float32",))
def cross_entropy(logits, target, *, reduction="mean"):
    return logits.sum()
"""


@pytest.fixture
def write(tmp_path):
    """Write an adapter file and return its path."""

    def write(text, name="adapter.py"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    return write


def one(target):
    (found,) = find([str(target)])
    return found


def test_without_a_target_every_built_in_is_found():
    files = {path.stem.replace("_", "-") for path in built_in_folder().glob("*.py")}
    assert files <= {found.name for found in find()}
    assert len(files) >= 12


def test_the_built_ins_of_an_installed_suite_lie_inside_its_package(monkeypatch, tmp_path):
    package = tmp_path / "site-packages" / "conformance"
    (tmp_path / "site-packages" / "implementations").mkdir(parents=True)  # somebody else's
    monkeypatch.setattr(discovery.conformance, "__path__", [str(package)])
    assert built_in_folder() is None
    (package / "implementations").mkdir(parents=True)
    assert built_in_folder() == package / "implementations"


def test_finding_imports_no_framework():
    code = (
        "import json, sys; from conformance.contract.discovery import find; find();"
        "print(json.dumps(sorted(sys.modules)))"
    )
    path = str(built_in_folder().parent)
    output = subprocess.run(
        [sys.executable, "-c", code], cwd=path, capture_output=True, text=True, check=True
    ).stdout
    assert not {"torch", "tensorflow", "jax", "scipy"}.intersection(json.loads(output))


def test_a_built_in_is_found_by_its_name_and_loaded():
    found = one("numpy-stable")
    assert found.path == built_in_folder() / "numpy_stable.py"
    assert found.framework == "numpy"
    assert found.unavailable is None
    loaded = found.load()
    assert loaded.name == "numpy-stable"
    assert loaded.source == found.path.resolve()


def test_a_file_is_found_by_its_path_with_and_without_the_attribute(write):
    path = write(ADAPTER.format(name="mine"))
    for target in (str(path), f"{path}:cross_entropy"):
        found = one(target)
        assert found.name == "mine"
        assert found.load().source == path
    assert one(one(path).target) == one(path)


def test_a_relative_path_is_found_again_from_another_folder(write, monkeypatch, tmp_path):
    write(ADAPTER.format(name="mine"))
    monkeypatch.chdir(tmp_path)
    found = one("adapter.py")
    monkeypatch.chdir("/")
    assert one(found.target).load().name == "mine"


def test_a_file_may_hold_several_implementations(write):
    second = ADAPTER.format(name="second").replace("cross_entropy", "another")
    path = write(ADAPTER.format(name="first") + second)
    assert [found.name for found in find([str(path)])] == ["first", "second"]
    assert one(f"{path}:another").load().name == "second"


def test_an_implementation_may_be_made_by_a_call_or_in_a_loop(write):
    call = """\
from conformance import implementation
mine = implementation("called", dtypes=("float32",), reductions=("sum",))(lambda x, y: x)
"""
    loop = """\
from conformance import implementation as declare
for name in ("a", "b"):
    globals()[name] = declare(name, dtypes=("float32",), reductions=("sum",))(lambda x, y: x)
"""
    assert one(write(call)).load().name == "called"
    assert [found.load().name for found in find([str(write(loop, "loop.py"))])] == ["a", "b"]


@pytest.mark.parametrize(
    ("deed", "how"),
    [("os._exit(5)", "ended with status 5"), ("os.abort()", "was killed by signal 6")],
)
def test_an_adapter_that_must_be_run_to_be_found_may_die_of_it(write, deed, how):
    path = write("import os\n" + deed)
    with pytest.raises(AdapterError, match=how):
        find([str(path)])


def test_a_module_is_found_by_its_name_without_importing_its_package(write, monkeypatch, tmp_path):
    write("raise RuntimeError('the package was imported')", "parcel/__init__.py")
    write(ADAPTER.format(name="packed"), "parcel/losses.py")
    monkeypatch.syspath_prepend(tmp_path)
    found = one("parcel.losses:cross_entropy")
    assert found.name == "packed"
    with pytest.raises(AdapterError, match="the package was imported"):
        found.load()
    (tmp_path / "parcel" / "__init__.py").write_text("")
    assert found.load().name == "packed"


def test_an_entry_point_is_found_by_its_name(write, monkeypatch, tmp_path):
    write(ADAPTER.format(name="mylib"), "mylib_losses.py")
    monkeypatch.syspath_prepend(tmp_path)
    entry = metadata.EntryPoint("mylib", "mylib_losses:cross_entropy", discovery.ENTRY_POINTS)
    monkeypatch.setattr(discovery.metadata, "entry_points", lambda group: (entry,))
    assert one("mylib").load().name == "mylib"
    assert "mylib" in {found.name for found in find()}


def test_an_adapter_file_called_as_a_framework_shadows_nothing(write):
    path = write("import torch_is_not_this\n" + ADAPTER.format(name="mine"), "torch.py")
    before = list(sys.path)
    with pytest.raises(MissingFrameworkError):
        one(path).load()
    assert sys.path == before
    loaded = one(write(ADAPTER.format(name="mine"), "json.py")).load()
    assert loaded.name == "mine"
    assert sys.modules["json"] is json


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("numpy-stabel", r"no implementation 'numpy-stabel' \(did you mean 'numpy-stable'\?\)"),
        ("numpy-stabel", r"`conformance list` names them"),
        ("no/such/file.py", r"there is no file no/such/file\.py"),
        ("no/such/file.py:loss", r"there is no file no/such/file\.py"),
        ("no_such_package.module:loss", r"there is no module 'no_such_package\.module'"),
        ("", r"there is no implementation ''"),
    ],
)
def test_a_target_that_names_nothing_is_a_usage_error(target, message):
    with pytest.raises(UsageError, match=message):
        find([target])


def test_an_attribute_that_is_not_there_is_a_usage_error_with_a_suggestion(write):
    path = write(ADAPTER.format(name="mine"))
    with pytest.raises(UsageError, match=r"no implementation 'cros_entropy' \(did you mean"):
        find([f"{path}:cros_entropy"])


def test_a_file_without_an_implementation_says_what_to_write(write):
    with pytest.raises(AdapterError, match=r"(?s)declares no implementation: write.*@implementa"):
        find([str(write("def cross_entropy(logits, target): ...\n"))])


def test_a_syntax_error_is_told_with_file_and_line(write):
    path = write("import numpy\n\ndef cross_entropy(:\n")
    with pytest.raises(AdapterError, match=rf"{path}, line 3: invalid syntax"):
        find([str(path)])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1 / 0", r"line 6: ZeroDivisionError: division by zero"),
        ("raise SystemExit(4)", r"line 6: SystemExit: 4"),
        ("raise KeyError", r"line 6: KeyError$"),
        ("from conformance import implementaton", r"line 6: ImportError: cannot import name"),
        ("import os.no_such_module", r"line 6: ModuleNotFoundError: .*os\.no_such_module"),
        ("implementation('x', dtypes=())(print)", r"line 6: x is called as f\(logits, target"),
        ("implementation('x', 'torch')", r"line 6: TypeError: implementation\(\) takes 1"),
        ("implementation('x')", r"line 6: TypeError: .*'dtypes'"),
    ],
)
def test_what_fails_in_an_adapter_is_told_with_file_and_line(write, text, message):
    path = write(ADAPTER.format(name="mine") + text + "\n")
    with pytest.raises(AdapterError, match=rf"{path}, {message}"):
        one(path).load()


def test_an_import_that_is_not_installed_is_named_with_how_to_install_it(write):
    path = write("import a_kernel_library\n" + ADAPTER.format(name="mine"))
    with pytest.raises(MissingFrameworkError, match=r"line 1: .*: pip install a_kernel_library"):
        one(path).load()


def test_a_module_beside_an_adapter_is_not_called_missing(write):
    write("", "neighbour.py")
    path = write("import neighbour\n" + ADAPTER.format(name="mine"))
    with pytest.raises(MissingFrameworkError, match="'neighbour' lies beside the adapter"):
        one(path).load()


def test_a_distribution_that_is_not_installed_makes_an_implementation_unavailable(write):
    text = ADAPTER.format(name="mine").replace("dtypes", "distribution='absent-kernels', dtypes")
    found = one(write(text))
    assert found.unavailable == (
        "mine needs absent-kernels, which is not installed: pip install absent-kernels"
    )
    with pytest.raises(MissingFrameworkError, match="pip install absent-kernels"):
        found.load()


@pytest.mark.parametrize("framework", FRAMEWORKS[1:])
def test_a_framework_that_is_not_installed_makes_an_implementation_unavailable(
    write, monkeypatch, framework
):
    find_spec = discovery.importlib.util.find_spec
    monkeypatch.setattr(
        discovery.importlib.util,
        "find_spec",
        lambda name, *rest: None if name == framework else find_spec(name, *rest),
    )
    text = ADAPTER.format(name="mine").replace("dtypes", f"framework={framework!r}, dtypes")
    assert one(write(text)).unavailable.endswith(f"pip install {framework}")
    for found in find():
        if found.framework == framework:
            assert f"cross-entropy-conformance[{framework}]" in found.unavailable


def test_two_implementations_of_one_name_are_refused(write):
    paths = [write(ADAPTER.format(name="mine"), f"{name}.py") for name in "ab"]
    with pytest.raises(UsageError, match="two implementations are called 'mine'"):
        find(map(str, paths))


def test_an_implementation_that_two_targets_name_is_found_once(write):
    path = write(ADAPTER.format(name="mine"))
    assert len(find([str(path), f"{path}:cross_entropy"])) == 1
    assert len(find(["numpy-stable", str(built_in_folder() / "numpy_stable.py")])) == 1
