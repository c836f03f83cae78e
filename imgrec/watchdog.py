"""Ends a pool's process that hangs in code which is not Python.

A decoder or an encoder that hangs in C and lets no Python run holds up the whole process: no
time limit's handler gets its turn, nor any thread. The timer of ``faulthandler`` needs no Python:
it writes where the process hangs to its standard error and ends it. The pool starts another, and
the photo comes back when its lease is over.
"""

from __future__ import annotations

import faulthandler
from collections.abc import Iterator
from contextlib import contextmanager

from imgrec.conf import settings

# As many leases is how long a photo or a batch may take in there.
PATIENCE_LEASES = 4

_STDERR = 2
_is_on = False


def enable() -> None:
    """From now on end this process when it hangs; for one that is started again."""
    global _is_on
    _is_on = True


@contextmanager
def watched() -> Iterator[None]:
    """End the process when what is done in here takes too long. Not to be nested."""
    if not _is_on:
        yield
        return
    seconds = settings.lease_seconds * PATIENCE_LEASES
    faulthandler.dump_traceback_later(seconds, exit=True, file=_STDERR)
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()
