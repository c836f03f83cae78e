"""imgrec without one of the things that keep its promises: the campaign must notice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from imgrec import looking, neighbours, vectors

LEAKED_BYTES = 200_000


def without_compare_and_set() -> None:
    """Store a vector whatever photo the row has by now, and whoever stored one since."""
    for guard in (
        " AND photo.{source} = new.source_name",
        "WHERE stored.job_id <= EXCLUDED.job_id\n",
    ):
        assert guard in vectors._STORE, "there is nothing to take away"
        vectors._STORE = vectors._STORE.replace(guard, "")


def without_list_lock() -> None:
    """Let several processes repair one space's lists at the same time."""
    assert callable(neighbours._lock)
    neighbours._lock = lambda space, *, wait=False: True


def with_leak() -> None:
    """Keep a little of every photo."""
    decode, kept = looking.decode, []

    def leaking(embedder: Any, data: bytes) -> Any:
        kept.append(b"x" * LEAKED_BYTES)
        return decode(embedder, data)

    looking.decode = leaking  # type: ignore[assignment]


MUTANTS: dict[str, Callable[[], None]] = {
    "no compare-and-set": without_compare_and_set,
    "no list lock": without_list_lock,
    "a leak": with_leak,
}
