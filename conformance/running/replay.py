"""Ask a witness again: one case, one property, in a process that may die of it.

``main`` reads a witness from standard input and the target from the command line, says what
happens now, and exits with 0 where the property holds, 1 where it fails.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys

from conformance.contract.discovery import find
from conformance.contract.session import open_session
from conformance.errors import ConformanceError, UsageError
from conformance.properties import BY_SLUG
from conformance.properties.asking import Live
from conformance.properties.trial import Trial, Violation
from conformance.properties.truth import Truth
from conformance.records.schema import Record, to_json
from conformance.records.witness import decode_case
from conformance.running.process import interpreter


def replay(witness: Record, target: str) -> int:
    """Ask in a process of its own and print what happens; the exit code.  0: the property holds."""
    command = [*interpreter("conformance.running.replay"), target]
    status = subprocess.run(command, input=to_json(witness).encode()).returncode
    if status < 0:
        print(f"the implementation was killed by {signal.Signals(-status).name}", flush=True)
        return 1
    return status


def ask(witness: Record, target: str) -> Violation | None:
    """How the witness's case fails now, if it does.

    ``UsageError`` for a property that this release does not have, or a target that is not found.
    """
    if witness["property"] not in BY_SLUG:
        raise UsageError(f"this release has no property {witness['property']!r} to ask about")
    named = [item for item in find((target,)) if item.name == witness["implementation"]]
    if not named:
        raise UsageError(f"{target} holds no implementation {witness['implementation']!r}")
    session = open_session(named[0].load(), witness["device"])
    case = decode_case(witness["case"])
    live = Live(session, session.implementation.capabilities.options, lambda case: None)
    try:
        BY_SLUG[witness["property"]].body(case, Trial(live, Truth()))
    except Violation as violation:
        return violation
    return None


def main() -> int:
    witness = json.loads(sys.stdin.read())
    print(f"{witness['implementation']} on {witness['device']}: {witness['property']}")
    print(f"  {BY_SLUG[witness['property']].statement}" if witness["property"] in BY_SLUG else "")
    print(f"  recorded: {witness['message']}", flush=True)
    try:
        violation = ask(witness, sys.argv[1])
    except ConformanceError as error:
        print(f"Error: {error}", file=sys.stderr)
        return error.exit_code
    print(f"  now:      {violation.message if violation else 'it holds'}")
    return 1 if violation else 0
