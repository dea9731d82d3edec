"""The pytest plugin: ``pytest --pyargs conformance.suite --implementation my_adapter.py``.

Installed with the package and asleep until ``--implementation`` is given.  Each cell is a test;
under xdist (``-n 2 --dist loadgroup``) an implementation stays in one worker, since frameworks
clash in one process.
"""

from __future__ import annotations

import pytest

from conformance.errors import ConformanceError

ARGUMENT = "conformance_cell"


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
        metavar="PROFILE",
        help="the size of the corpus: quick, standard or deep; the search obeys Hypothesis",
    )
    group.addoption("--conformance-property", action="append", default=[], metavar="SLUG")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Parametrise the tests of ``conformance.suite`` over the cells of the implementations."""
    if ARGUMENT not in metafunc.fixturenames:
        return
    # Only now: whoever does not ask for the suite does not pay for importing it.
    from conformance.contract.discovery import find
    from conformance.running.library import conformance_cells

    option = metafunc.config.getoption
    try:
        cells = [
            cell
            for found in find(option("--implementation"))
            if found.unavailable is None
            for cell in conformance_cells(
                found.load(),
                device=option("--conformance-device"),
                properties=option("--conformance-property") or None,
            )
        ]
    except ConformanceError as error:
        raise pytest.UsageError(str(error)) from None
    metafunc.parametrize(
        ARGUMENT,
        [
            pytest.param(
                cell, id=str(cell), marks=pytest.mark.xdist_group(cell.implementation.name)
            )
            for cell in cells
        ],
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "xdist_group(name): tests that share an xdist worker")
