"""The pytest plugin: ``pytest --pyargs conformance.suite --implementation my_adapter.py``.

Installed with the package and asleep until ``--implementation`` is given.  Each cell is a test;
under xdist (``-n 2``) an implementation stays in one worker, since frameworks clash in one process.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from conformance.errors import ConformanceError, UsageError

ARGUMENT = "conformance_cell"
OWN_EXAMPLES = pytest.mark.parametrize(ARGUMENT, [])
"""A test that is marked so has its own entry in Hypothesis' database; the others share theirs."""


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("conformance", "conformance of cross-entropy losses")
    group.addoption(
        "--implementation",
        action="append",
        default=[],
        metavar="TARGET",
        help="judge this implementation: a name, path/file.py or package.module:attribute; "
        "may be repeated (with --pyargs conformance.suite)",
    )
    group.addoption("--conformance-device", default="cpu", metavar="DEVICE")
    group.addoption(
        "--conformance-profile",
        default="quick",
        choices=("quick", "standard", "deep"),
        help="the size of the corpus: quick, standard or deep; the search obeys Hypothesis",
    )
    group.addoption("--conformance-property", action="append", default=[], metavar="SLUG")


def pytest_configure(config: pytest.Config) -> None:
    """Refuse targets and properties that do not exist before anything is collected."""
    if config.getoption("--implementation"):
        try:
            _check(config)
        except ConformanceError as error:
            raise pytest.UsageError(str(error)) from None


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Parametrise the tests of ``conformance.suite`` over the cells of the implementations."""
    if ARGUMENT not in metafunc.fixturenames:
        return
    if not metafunc.config.getoption("--implementation"):
        raise pytest.UsageError("which implementation? say --implementation NAME or path/file.py")
    try:
        metafunc.parametrize(ARGUMENT, list(_parameters(metafunc.config)))
    except ConformanceError as error:
        raise pytest.UsageError(str(error)) from None


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Hand out the cells of one implementation to one worker (unless each worker gets all).

    Not by ``--dist loadgroup``, which pytest 9.2 and xdist 3.8 ignore together.
    """
    if not config.getoption("--implementation") or config.getoption("dist") == "each":
        return None
    from xdist.scheduler import LoadScopeScheduling

    device = config.getoption("--conformance-device")

    class ByImplementation(LoadScopeScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            return nodeid.partition("[")[2].rpartition(f"-{device}-")[0]

    return ByImplementation(config, log)


def _check(config: pytest.Config) -> None:
    # Only now: whoever does not ask for the suite does not pay for importing it.
    from conformance.contract.discovery import find
    from conformance.properties import BY_SLUG

    find(config.getoption("--implementation"))
    for slug in config.getoption("--conformance-property"):
        if slug not in BY_SLUG:
            raise UsageError(f"unknown property {slug!r}; `conformance list properties` has all")


def _parameters(config: pytest.Config) -> Iterator[Any]:
    from conformance.contract.discovery import find
    from conformance.contract.session import open_session
    from conformance.judging.library import conformance_cells

    device = config.getoption("--conformance-device")
    for found in find(config.getoption("--implementation")):
        if found.unavailable is not None:
            yield pytest.param(None, id=found.name, marks=pytest.mark.skip(found.unavailable))
            continue
        implementation = open_session(found.load(), device).implementation
        for cell in conformance_cells(
            implementation,
            device=device,
            properties=config.getoption("--conformance-property") or None,
        ):
            yield pytest.param(cell, id=str(cell), marks=OWN_EXAMPLES)
