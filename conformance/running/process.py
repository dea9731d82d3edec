"""One worker process, seen from the parent: started, listened to, and ended.

The worker speaks JSON lines on a pipe of its own, because the implementation may flood stdout; what
it prints is read all the time and only the end is kept.  It runs in a session of its own, so that
everything it starts can be ended with it.  Its standard input carries the job, and stays open: when
the parent is gone it closes, and the worker ends.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from conformance.errors import RecordsError
from conformance.records.schema import Record, parse, to_json

CURVE = "(curve)"
"""In place of a property, where a worker says what it asks: it measures a curve."""
_TAIL = 8192
"""Bytes of the worker's own output that are kept."""
_LINE_LIMIT = 64 * 2**20
_PIPE = 2**16


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

    def __init__(self, job: Record, selector: selectors.BaseSelector, *, abreast: int = 1) -> None:
        """Start it.  ``abreast``: how many workers share the machine's cores."""
        threads = max(1, (os.cpu_count() or 1) // abreast)
        reports, writes = os.pipe()
        try:
            self.process = subprocess.Popen(
                [*interpreter("conformance.running.worker"), str(writes)],
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
        self._reports, self._output = reports, self.process.stdout.fileno()
        self._selector = selector
        for descriptor in (self._reports, self._output):
            os.set_blocking(descriptor, False)
            selector.register(descriptor, selectors.EVENT_READ, self)
        self._pending = bytearray()
        self._printed = bytearray()
        with contextlib.suppress(BrokenPipeError):  # its end will be seen like any other
            self._stdin.write((to_json(job) + "\n").encode())
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

    def memory(self) -> int:
        """Resident bytes of the worker, 0 where that cannot be told."""
        try:
            statm = Path(f"/proc/{self.process.pid}/statm").read_text("ascii")
            return int(statm.split()[1]) * os.sysconf("SC_PAGE_SIZE")
        except (OSError, IndexError, ValueError):
            return 0

    def end(self) -> str:
        """End it with everything that it started, and say how it had ended by itself."""
        how = _how(self.process.poll())
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        if printed := self._last_words():
            how += f"; its last words:\n{printed}"
        self._close()
        return how

    def _close(self) -> None:
        for descriptor in (self._reports, self._output):
            self._forget(descriptor)
        os.close(self._reports)
        for stream in (self._stdin, self.process.stdout):
            if stream:
                with contextlib.suppress(BrokenPipeError):
                    stream.close()

    def _last_words(self) -> str:
        self._read_output()
        lines = self._printed.decode("utf-8", "replace").strip().splitlines()
        return "\n".join(lines[-5:])[-1000:]

    def _read_output(self) -> None:
        # A bounded number of reads: an implementation that never stops printing must not keep us.
        for _ in range(16):
            chunk = self._read(self._output)
            if not chunk:
                return
            self._printed = (self._printed + chunk)[-_TAIL:]

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


def _how(status: int | None) -> str:
    if status is None:
        return "was ended"
    if status >= 0:
        return f"exited with status {status}"
    try:
        return f"was killed by {signal.Signals(-status).name}"
    except ValueError:
        return f"was killed by signal {-status}"
