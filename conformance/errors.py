"""What can go wrong outside an implementation's arithmetic, as one tree of exceptions.

Each message says what is wrong, where, and what to do next.  The command line prints the message
alone and exits with ``exit_code``; a traceback out of the suite is a bug of the suite.
"""

from __future__ import annotations


class ConformanceError(Exception):
    """The root: everything the suite itself raises for its user."""

    exit_code = 3


class UsageError(ConformanceError):
    """The command or call is wrong: an unknown name, a bad option, a missing file."""

    exit_code = 2


class AdapterError(ConformanceError):
    """An adapter cannot be used: it does not load, or its declaration contradicts itself."""


class MissingFrameworkError(AdapterError):
    """The framework that an adapter needs is not installed."""


class RecordsError(ConformanceError):
    """A results, witness or known-failures file is broken, truncated or of another version."""


class Unsupported(Exception):
    """What is asked is not offered; the message says what, and why.

    No error: a property whose space an implementation does not cover is ``unsupported`` for it.  An
    adapter raises it for a call that it cannot pass on to what it adapts, at that size for example:
    the case counts as not asked.
    """


class StorageError(ConformanceError):
    """What happened cannot be written: the disk is full, or the folder is not ours to write in."""


class HarnessError(ConformanceError):
    """A process that answers for an implementation broke the protocol."""


class LostError(ConformanceError):
    """A process that answers for an implementation died of a question: a crash, and its fault."""
