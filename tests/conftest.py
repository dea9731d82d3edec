"""What all tests share: signals as they are in a terminal."""

from __future__ import annotations

import signal

# A shell's background jobs ignore Ctrl-C, and so would the processes that the tests interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
