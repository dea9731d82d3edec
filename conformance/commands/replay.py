"""Ask a witness again: one case, one property, in a process that may die of it.

``main`` reads a witness from standard input and the target from the command line, and says what
happens now.  Its exit code is one that an implementation has no reason to exit with.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

from conformance.contract.discovery import find
from conformance.contract.session import Session, open_session
from conformance.errors import ConformanceError, UsageError
from conformance.judging.failure import versions_of
from conformance.judging.profiles import PROFILES
from conformance.properties import BY_SLUG
from conformance.properties.asking import Live
from conformance.properties.trial import Trial, Violation
from conformance.properties.truth import Truth
from conformance.records.schema import Record, to_json
from conformance.records.visible import visible
from conformance.records.witness import decode_case
from conformance.running import guardian
from conformance.running.process import interpreter
from conformance.version import __version__

TIMEOUT = 120.0 + PROFILES["standard"].searched
"""Seconds, as for a cell of a standard run."""

_SAID = 100
"""Added to the exit code of ``main``, so that it is told from the implementation's own."""


def replay(witness: Record, target: str, *, timeout: float = TIMEOUT) -> int:
    """Ask in a process of its own and print what happens; the exit code.  0: the property holds."""
    command = [sys.executable, "-I", "-S", guardian.__file__]
    command += [*interpreter("conformance.commands.replay"), target]
    # As many threads as a worker that is alone has: a sum may depend on it.
    env = {"OMP_NUM_THREADS": str(os.cpu_count() or 1), **os.environ}
    process = subprocess.Popen(command, stdin=subprocess.PIPE, env=env, start_new_session=True)
    with process:  # in the end it closes standard input, which ends all that was started
        assert process.stdin
        process.stdin.write((to_json(witness) + "\n").encode())
        process.stdin.flush()
        try:
            status = process.wait(timeout)
        except subprocess.TimeoutExpired:
            return _ended(f"no answer within {timeout:g} s")
    if status >= _SAID:
        return status - _SAID
    return _ended(f"the process {_how(status)}")


def _ended(how: str) -> int:
    print(f"  now:      {how}", flush=True)
    return 1


def _how(status: int) -> str:
    if status >= 0:
        return f"exited with status {status} instead of answering"
    known = -status in set(signal.Signals)
    return f"was killed by {signal.Signals(-status).name if known else f'signal {-status}'}"


def ask(witness: Record, session: Session) -> Violation | None:
    """How the witness's case fails now, if it does."""
    case = decode_case(witness["case"])
    live = Live(session, session.implementation.capabilities.options, lambda case: None)
    try:
        BY_SLUG[witness["property"]].body(case, Trial(live, Truth()))
    except Violation as violation:
        return violation
    return None


def opened(witness: Record, target: str) -> Session:
    """The implementation of a witness on its device.

    ``UsageError`` for a property that this release does not have, or a target that is not found.
    """
    if witness["property"] not in BY_SLUG:
        raise UsageError(f"this release has no property {witness['property']!r} to ask about")
    named = [item for item in find((target,)) if item.name == witness["implementation"]]
    if not named:
        raise UsageError(f"{target} holds no implementation {witness['implementation']!r}")
    return open_session(named[0].load(), witness["device"])


def main() -> int:
    witness = json.loads(sys.stdin.readline())
    with open(os.devnull, "rb") as nothing:  # the implementation's standard input is empty
        os.dup2(nothing.fileno(), 0)
    print(visible(f"{witness['implementation']} on {witness['device']}: {witness['property']}"))
    if witness["property"] in BY_SLUG:
        print(f"  {BY_SLUG[witness['property']].statement}")
    print(f"  recorded: {visible(str(witness['message']))}", flush=True)
    try:
        session = opened(witness, sys.argv[1])
        for what, then, now in _differences(witness, session):
            print(
                f"  note:     recorded with {what} {visible(str(then))}, here is {now}", flush=True
            )
        violation = ask(witness, session)
    except ConformanceError as error:
        print(f"Error: {visible(str(error))}", file=sys.stderr)
        return _SAID + error.exit_code
    print(f"  now:      {visible(violation.message) if violation else 'it holds'}", flush=True)
    return _SAID + (1 if violation else 0)


def _differences(witness: Record, session: Session) -> list[tuple[str, object, object]]:
    """What is not as it was: the suite, and the library under test."""
    here = {"the suite": __version__, **versions_of(session)}
    then = {"the suite": witness["suite"], **witness["versions"]}
    return [
        (name, then[name], here[name]) for name in then if here.get(name, then[name]) != then[name]
    ]
