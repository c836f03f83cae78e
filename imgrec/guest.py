"""Manners of a guest: our reads leave the host's transaction and its settings as they were."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from typing import Any

from django.db import Error, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

# One name does: PostgreSQL goes by the innermost savepoint of a name.
_SAVE = "SAVEPOINT imgrec"
_RELEASE = "RELEASE SAVEPOINT imgrec"
_BACK = f"ROLLBACK TO SAVEPOINT imgrec; {_RELEASE}"

# Settings that bound how long a read may keep its page waiting.
_LIMITS = ("lock_timeout", "statement_timeout")
# A page is not kept waiting while somebody rebuilds a table of ours: its list is left out.
LOCK_TIMEOUT_MS = 200


class Sql(str):
    """A setting's value as an expression of SQL, instead of the value itself."""

    __slots__ = ()


class _Guard:
    """Makes a savepoint when the first statement comes, for nothing is to be saved before."""

    def __init__(self, connection: BaseDatabaseWrapper) -> None:
        self.connection = connection
        self.is_open = self.is_resting = False

    def __call__(self, execute: Callable[..., Any], *statement: Any) -> Any:
        if not self.is_open and not self.is_resting:
            self.is_open = True  # before our own statement passes here as well
            _send(self.connection, _SAVE)
        return execute(*statement)


def _bounded(execute: Callable[..., Any], *statement: Any) -> Any:
    """Run a read outside a transaction so that a locked table does not keep its page waiting.

    In the same message and for it alone: no session to clean up. Not by ``set_config``, which takes
    four times as long; a shop's own, shorter limit is stretched to ours for this read. Where the
    driver binds values on the server a message is one statement, and waits as the host has it.
    """
    sql, params, many, context = statement
    if many or not sql.lstrip().startswith("SELECT") or not _takes_several(context):
        return execute(*statement)
    found = execute(f"SET LOCAL lock_timeout = {LOCK_TIMEOUT_MS}; {sql}", params, many, context)
    context["cursor"].nextset()  # what SET answered comes first
    return found


def _takes_several(context: Any) -> bool:
    """Return whether a message may hold more than one statement, and none is in a transaction."""
    connection, cursor = context["connection"], context["cursor"].cursor
    is_declared = getattr(cursor, "name", None)  # a cursor on the server
    one_each = connection.features.uses_server_side_binding
    return not (is_declared or one_each or in_transaction(connection))


@contextmanager
def guarded(using: str) -> Iterator[None]:
    """Run what may fail so that the host's transaction stays usable; what it wrote is kept.

    No statement of its own unless the work sends some.
    """
    connection = connections[using]
    if not in_transaction(connection):
        yield
        return
    guard = _Guard(connection)
    try:
        with connection.execute_wrapper(guard):
            yield
    except BaseException:
        if guard.is_open:
            _roll_back(connection)
        raise
    if guard.is_open:
        if connection.needs_rollback:
            _roll_back(connection)
        else:
            _send(connection, _RELEASE)


@contextmanager
def reading(using: str, **values: str | int) -> Iterator[None]:
    """Run reads in a savepoint of our own when inside the host's transaction, else as they are.

    Its settings (``hnsw__ef_search=…``) come in the same message. Nothing is kept: SET LOCAL
    outlives the release of a savepoint, so ours ends by ROLLBACK TO. Outside a transaction only a
    ``lock_timeout`` is applied, to each read.
    """
    connection = connections[using]
    if not in_transaction(connection):
        with connection.execute_wrapper(_bounded) if "lock_timeout" in values else nullcontext():
            yield
        return
    with _resting_guards(connection):
        try:
            _send(connection, _message(_SAVE, values))  # may fail: the settings read tables
            yield
        finally:
            _roll_back(connection)


@contextmanager
def settings_of_our_own(using: str, **values: str | int) -> Iterator[None]:
    """Run statements of ours, and no one else's, under settings that are gone afterwards.

    Inside the host's transaction :func:`reading` has applied them already.
    """
    connection = connections[using]
    if in_transaction(connection):
        yield
        return
    # Not atomic(): its BEGIN takes a message of its own. Nobody else's code runs in here.
    _send(connection, _message("BEGIN", values))
    try:
        yield
    except BaseException:
        with suppress(Error):  # of a lost connection; what lost it is told
            _send(connection, "ROLLBACK")
        raise
    _send(connection, "ROLLBACK")


@contextmanager
def with_settings(using: str, **values: str | int) -> Iterator[None]:
    """Run reads, the host's prefetches among them, under settings that are gone afterwards."""
    if in_transaction(connections[using]):
        with reading(using, **values):
            yield
        return
    with transaction.atomic(using=using):
        _send(connections[using], _message("", values))
        yield
        transaction.set_rollback(True, using=using)


def in_transaction(connection: BaseDatabaseWrapper) -> bool:
    """Return whether what we do happens in a transaction of the host."""
    return connection.in_atomic_block or not connection.get_autocommit()


@contextmanager
def _resting_guards(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """Keep guards from adding a savepoint round ours."""
    guards = [each for each in connection.execute_wrappers if isinstance(each, _Guard)]
    awake = [guard for guard in guards if not guard.is_resting]
    for guard in awake:
        guard.is_resting = True
    try:
        yield
    finally:
        for guard in awake:
            guard.is_resting = False


def _roll_back(connection: BaseDatabaseWrapper) -> None:
    """Go back to our savepoint; as Django does, without hiding the error that brought us here."""
    connection.needs_rollback = False
    try:
        _send(connection, _BACK)
    except Error:
        connection.needs_rollback = True


def _message(start: str, values: dict[str, str | int]) -> str:
    """Return one message that starts a savepoint or transaction and applies settings.

    Limits first, in a statement of their own: the others may read tables.
    """
    limits = {name: value for name, value in values.items() if name in _LIMITS}
    others = {name: value for name, value in values.items() if name not in _LIMITS}
    parts = [start, _applied(limits), _applied(others)]
    return "; ".join(part for part in parts if part)


def _applied(values: dict[str, str | int]) -> str:
    calls = [
        f"set_config('{name.replace('__', '.')}', {_value(value)}, true)"
        for name, value in values.items()
    ]
    return f"SELECT {', '.join(calls)}" if calls else ""


def _value(value: str | int) -> str:
    return value if isinstance(value, Sql) else quoted(str(value))


def quoted(text: str) -> str:
    """Return a text as a literal: a message of several statements takes no parameters."""
    return "'" + text.replace("'", "''") + "'"


def _send(connection: BaseDatabaseWrapper, message: str) -> None:
    if message:
        with connection.cursor() as cursor:
            cursor.execute(message)
