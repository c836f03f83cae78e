"""Manners of a guest: our reads leave the host's transaction and its settings as they were."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connections, transaction


@contextmanager
def guarded(using: str) -> Iterator[None]:
    """Run reads so that a failing one leaves the host's transaction usable."""
    connection = connections[using]
    if not connection.in_atomic_block:
        yield
        return
    with transaction.atomic(using=using):
        yield


@contextmanager
def with_settings(using: str, **values: str | int) -> Iterator[None]:
    """Run reads under settings of their own, gone afterwards whatever happens.

    SET LOCAL outlives the release of a savepoint, so ours ends by ROLLBACK TO when we are
    inside the host's transaction, and with our own transaction otherwise. Nothing is kept:
    for reads only.
    """
    connection = connections[using]
    if not connection.in_atomic_block:
        with transaction.atomic(using=using):
            _set(using, values)
            yield
            transaction.set_rollback(True, using=using)
        return
    savepoint = transaction.savepoint(using=using)
    try:
        _set(using, values)
        yield
    finally:
        transaction.savepoint_rollback(savepoint, using=using)
        transaction.savepoint_commit(savepoint, using=using)


def _set(using: str, values: dict[str, str | int]) -> None:
    if not values:
        return
    calls = ", ".join("set_config(%s, %s, true)" for _ in values)
    names = {name.replace("__", "."): str(value) for name, value in values.items()}
    with connections[using].cursor() as cursor:
        cursor.execute(f"SELECT {calls}", [part for pair in names.items() for part in pair])
