"""A harness process: started when it is first needed, asked, and ended."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import weakref
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from threading import Timer
from typing import IO, NoReturn

from conformance.contract import protocol
from conformance.contract.protocol import Array, Header
from conformance.errors import (
    AdapterError,
    HarnessError,
    LostError,
    MissingFrameworkError,
    Unsupported,
)

PATIENCE = 240.0
"""Seconds until a harness must have said hello."""
GRACE = 5.0
"""Seconds in which a harness ends whose standard input was closed."""


class RaisedError(Exception):
    """What the implementation raised in the harness, under the name that it has there."""


class Process:
    """The process of a harness, which answers questions.

    One process answers them all, until it dies or breaks the protocol; the next question is asked
    of a new one.  Its standard error is that of this process.
    """

    def __init__(self, command: str, folder: Path) -> None:
        """``command`` is split as by a shell, and run in ``folder``."""
        self.command, self.folder = command, folder
        self._popen: subprocess.Popen[bytes] | None = None
        self._end: Callable[[], object] = lambda: None
        self._asked = 0

    @cached_property
    def hello(self) -> Header:
        """Who the harness says that it answers for, and what that can be asked.

        Raises ``MissingFrameworkError`` where there is no such program, ``AdapterError`` where it
        does not begin, ``HarnessError`` where it says no valid hello.
        """
        return self._start()

    def ask(self, what: str, arrays: Mapping[str, Array], options: Header) -> Array:
        """The answer to a question (see docs/protocol.md).

        What the implementation raised is raised here.  Raises ``HarnessError`` where the answer is
        not the protocol's, ``LostError`` where the harness dies of it, and ``Unsupported``
        where it says that it cannot be asked this.
        """
        hello = self.hello
        if self._popen is None and self._start() != hello:
            self.end()
            raise HarnessError(f"{self._who}: started again, it says another hello")
        self._asked += 1
        message = protocol.question(self._asked, what, arrays, options)
        with suppress(BrokenPipeError):  # its end is seen when it is read from
            for part in message:
                self._stdin.write(part)
            self._stdin.flush()
        try:
            return self._answer(most=8 * sum(map(len, message)))
        except HarnessError as error:
            self.end()
            raise HarnessError(
                f"{self._who}: its answer to question {self._asked} ({what}) is {error}"
            ) from None
        except LostError as error:
            raise LostError(
                f"{self._who} {error} instead of answering question {self._asked} ({what})"
            ) from None

    def adapter(self, name: str) -> str:
        """The file that would be its adapter."""
        call = f"harness({name!r}, {self.command!r})"
        return f"from conformance import harness\n\ncross_entropy = {call}\n"

    def end(self) -> None:
        """End the process at once, with its group."""
        if self._popen is not None:
            _kill(self._popen)
            self._end()
            self._popen = None

    # -- the process -------------------------------------------------------------------------------

    def _start(self) -> Header:
        words = words_of(self.command)
        try:
            self._popen = subprocess.Popen(
                words,
                cwd=self.folder,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                process_group=0,
            )
        except FileNotFoundError:
            raise MissingFrameworkError(
                f"{self._who}: there is no program {words[0]!r}: install it, or check the path"
            ) from None
        except OSError as error:
            raise AdapterError(f"{self._who}: cannot be started: {error.strerror}") from None
        self._end = weakref.finalize(self, _end, self._popen)
        late = Timer(PATIENCE, _kill, (self._popen,))
        late.daemon = True
        late.start()
        try:
            hello = protocol.header(self._line(), "hello")
            if hello["protocol"] != protocol.VERSION:
                raise HarnessError(
                    f"of version {hello['protocol']} of the protocol, and this release speaks "
                    f"{protocol.VERSION}"
                )
        except HarnessError as error:
            self.end()
            raise HarnessError(f"{self._who}: its hello is {error}") from None
        except LostError as error:
            late_or_not = "" if late.is_alive() else f", {PATIENCE:g} s after it was started,"
            raise AdapterError(
                f"{self._who} {error}{late_or_not} before it said hello; what it had to say is on "
                "its standard error"
            ) from None
        finally:
            late.cancel()
        return hello

    def _answer(self, most: int) -> Array:
        said = protocol.header(self._line(), "answer")
        if said["id"] != self._asked:
            raise HarnessError(f"one to question {said['id']}")
        if "error" in said:
            _complain(said["error"])
        array = protocol.array(said, self._stdout.read, most)
        return self._lost("in the middle of its answer") if array is None else array

    def _line(self) -> bytes:
        line = self._stdout.readline(protocol.LONGEST_HEADER)
        if not line.endswith(b"\n") and len(line) < protocol.LONGEST_HEADER:
            self._lost("in the middle of a header" if line else "")
        return line

    def _lost(self, where: str) -> NoReturn:
        """It will say no more: because it has ended, or keeps silent."""
        assert self._popen
        popen, where = self._popen, f" {where}" if where else ""
        with suppress(subprocess.TimeoutExpired):
            popen.wait(GRACE)
        status = popen.returncode
        self.end()
        if status is None:
            raise HarnessError(f"missing: it closed its standard output{where}")
        raise LostError(f"{_how(status)}{where}")

    @property
    def _who(self) -> str:
        return f"the harness `{self.command}`"

    @property
    def _stdin(self) -> IO[bytes]:
        assert self._popen
        assert self._popen.stdin
        return self._popen.stdin

    @property
    def _stdout(self) -> IO[bytes]:
        assert self._popen
        assert self._popen.stdout
        return self._popen.stdout


def words_of(command: str) -> Sequence[str]:
    """The words of a command; ``AdapterError`` where it has none."""
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise AdapterError(f"the command of a harness, {command!r}: {error}") from None
    if not words:
        raise AdapterError("a harness needs a command, as in proc:'node harness.js'")
    return words


def _complain(error: Header) -> NoReturn:
    if error["kind"] == "unsupported":
        raise Unsupported(error["message"])
    raise type(error.get("type", "Error"), (RaisedError,), {})(error["message"])


def _end(popen: subprocess.Popen[bytes]) -> None:
    """Give it the time to go by itself, and then none."""
    for pipe in (popen.stdin, popen.stdout):
        with suppress(OSError):
            if pipe:
                pipe.close()
    with suppress(subprocess.TimeoutExpired):
        popen.wait(GRACE)
    _kill(popen)
    popen.wait()


def _kill(popen: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(popen.pid, signal.SIGKILL)


def _how(status: int) -> str:
    if status >= 0:
        return f"exited with status {status}"
    known = -status in set(signal.Signals)
    return f"was killed by {signal.Signals(-status).name if known else f'signal {-status}'}"
