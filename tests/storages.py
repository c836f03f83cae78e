"""Photo storages as tests want them: held up, counted, or worse."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.storage import FileSystemStorage

PATIENCE_SECONDS = 30


class Gate:
    """Holds up whoever opens a photo until it is let through."""

    def __init__(self) -> None:
        self._open = threading.Event()
        self.names: list[str] = []

    def __call__(self, name: str) -> None:
        self.names.append(name)
        assert self._open.wait(PATIENCE_SECONDS), "nobody let it through"

    def let_through(self) -> None:
        self._open.set()


def on_opening(monkeypatch: pytest.MonkeyPatch, call: Callable[[str], object]) -> None:
    """Have ``call`` called with the name of every photo that is opened for reading."""
    opened = FileSystemStorage._open

    def opening(self: FileSystemStorage, name: str, mode: str = "rb") -> Any:
        if mode == "rb":
            call(name)
        return opened(self, name, mode)

    monkeypatch.setattr(FileSystemStorage, "_open", opening)
