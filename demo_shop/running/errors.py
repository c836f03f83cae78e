"""What ends a demo with words instead of a traceback."""

from __future__ import annotations


class DemoError(Exception):
    """The demo cannot go on; the message says why and what to do."""


class FolderInUse(DemoError):
    """Another demo runs over the same folder."""
