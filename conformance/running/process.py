"""One worker process, seen from the parent: started, listened to, and ended.

The worker speaks JSON lines on a pipe of its own, because the implementation may flood stdout; what
it prints is read all the time and little of it is kept.  A ``guardian`` stands between: everything
that the worker starts ends with it, and when standard input closes, which carries the job and stays
open for more, because the parent wants no more of the worker or is gone.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import selectors
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from conformance.errors import RecordsError
from conformance.records.schema import Record, parse, to_json
from conformance.running.guardian import descendants
from conformance.running.output import Output

CURVE = "(curve)"
"""In place of a property, where a worker says what it asks: it measures a curve."""
_LINE_LIMIT = 64 * 2**20
_PIPE = 2**16
_GRACE = 10.0
"""Seconds in which a guardian has ended everything, or is ended itself."""


def interpreter(module: str) -> list[str]:
    """The command of a fresh interpreter that runs ``module.main`` and imports as this one does.

    Not ``-m``, which puts the current folder first: an adapter called torch.py may lie there.
    """
    code = f"import sys; sys.path[:] = {sys.path!r}; from {module} import main; sys.exit(main())"
    return [sys.executable, "-P", "-c", code]


class Garbled(Exception):
    """What came through the worker's pipe is not the protocol: the implementation wrote to it."""


class Worker:
    """A live worker process with a job."""

    def __init__(
        self, module: str, job: Record, selector: selectors.BaseSelector, *, abreast: int = 1
    ) -> None:
        """Start ``module.main``, which makes a ``child.Link``.

        ``abreast``: how many workers share the machine's cores.
        """
        threads = max(1, (os.cpu_count() or 1) // abreast)
        reports, writes = os.pipe()
        guardian = Path(__file__).with_name("guardian.py")
        try:
            self.process = subprocess.Popen(
                [sys.executable, "-I", "-S", guardian, *interpreter(module), str(writes)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                pass_fds=(writes,),
                start_new_session=True,
                # Unbuffered: whoever aborts takes what it had printed with it otherwise.
                env={"OMP_NUM_THREADS": str(threads), **os.environ, "PYTHONUNBUFFERED": "1"},
            )
        finally:
            os.close(writes)
        assert self.process.stdin
        assert self.process.stdout
        self._stdin = self.process.stdin
        self._reports, self._printed = reports, self.process.stdout.fileno()
        self._selector = selector
        for descriptor in (self._reports, self._printed):
            os.set_blocking(descriptor, False)
            selector.register(descriptor, selectors.EVENT_READ, self)
        self._pending = bytearray()
        mark = secrets.token_bytes(16)
        self._output = Output(mark)
        self.send(job | {"mark": mark.hex()})

    def send(self, request: Record) -> None:
        """Send the worker a message."""
        with contextlib.suppress(BrokenPipeError):  # its end will be seen like any other
            self._stdin.write((to_json(request) + "\n").encode("utf-8", "surrogatepass"))
            self._stdin.flush()

    def ended(self) -> bool:
        """Whether it is gone, or has closed its pipe and will not say more."""
        if self._reports in self._selector.get_map():
            return self.process.poll() is not None
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(1)  # mostly it is about to die, and how it dies is worth knowing
        return True

    def messages(self) -> Iterator[Record]:
        """What the worker has reported since the last call.  Raises ``Garbled``."""
        self._read_output()
        while chunk := self._read(self._reports):
            self._pending += chunk
            if b"\n" not in chunk:
                if len(self._pending) > _LINE_LIMIT:
                    raise Garbled("a message without end")
                continue
            *lines, rest = self._pending.split(b"\n")
            self._pending = rest
            for line in lines:
                try:
                    message = parse(bytes(line), "message")
                except RecordsError as error:
                    raise Garbled(str(error)) from None
                if not isinstance(message, dict):
                    raise Garbled("no message")
                yield message

    def printed(self) -> str | None:
        """What was printed up to the next of the borders that its reports make (see ``child``)."""
        self._read_output()
        return self._output.next()

    def last_words(self) -> str | None:
        """What was printed behind the last border, once the worker has ended."""
        return self._output.rest()

    def memory(self, parents: Mapping[int, int]) -> int:
        """Resident bytes of the worker and all that it started, 0 where that cannot be told.

        ``parents``: the parent of each process of the machine.
        """
        family = descendants(self.process.pid, parents)
        measure = _resident if len(family) == 1 else _own_share
        return sum(map(measure, family))

    def how(self) -> str:
        """How it ended by itself, if it did."""
        return _how(self.process.poll())

    def way(self) -> str:
        """What its end has in common with another that is like it, once it has ``ended``."""
        return "pipe" if self.process.poll() is None else self.how()

    def end(self) -> str:
        """End it with everything that it started, and say how it had ended by itself."""
        how = self.how()
        with contextlib.suppress(BrokenPipeError):
            self._stdin.close()
        try:
            self.process.wait(_GRACE)
        except subprocess.TimeoutExpired:
            self.process.kill()  # and the kernel ends the worker
            self.process.wait()
        self._read_output()
        self._close()
        return how

    def _close(self) -> None:
        for descriptor in (self._reports, self._printed):
            self._forget(descriptor)
        os.close(self._reports)
        if self.process.stdout:
            self.process.stdout.close()

    def _read_output(self) -> None:
        # A bounded number of reads: an implementation that never stops printing must not keep us.
        for _ in range(16):
            chunk = self._read(self._printed)
            if not chunk:
                return
            self._output.feed(chunk)

    def _read(self, descriptor: int) -> bytes:
        try:
            chunk = os.read(descriptor, _PIPE)
        except BlockingIOError:
            return b""
        if not chunk:  # closed: watching it further would wake us for ever
            self._forget(descriptor)
        return chunk

    def _forget(self, descriptor: int) -> None:
        if descriptor in self._selector.get_map():
            self._selector.unregister(descriptor)


def _resident(pid: int) -> int:
    try:
        statm = Path(f"/proc/{pid}/statm").read_text("ascii")
        return int(statm.split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError, ValueError):
        return 0


def _own_share(pid: int) -> int:
    """Resident bytes of one process among several, which may share most of theirs."""
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text("ascii").splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    except (OSError, IndexError, ValueError):
        pass
    return _resident(pid)


def _how(status: int | None) -> str:
    if status is None:
        return "was ended"
    if status >= 0:
        return f"exited with status {status}"
    try:
        return f"was killed by {signal.Signals(-status).name}"
    except ValueError:
        return f"was killed by signal {-status}"
