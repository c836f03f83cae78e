"""The end of a process at a certain statement: it ends in the middle of whatever it does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection


class Killed(BaseException):
    """Stands for what ends a process at once."""


@contextmanager
def killed_after(statements: int) -> Iterator[None]:
    """Run what is inside, up to so many statements; what it had not committed is lost."""
    left = statements

    def burn(execute: Any, sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
        nonlocal left
        left -= 1
        if left == -1:  # once: a transaction that breaks off still has to be rolled back
            # Django closes a cursor of the server's for exceptions, which this is none of
            context["cursor"].close()
            raise Killed
        return execute(sql, params, many, context)

    try:
        with connection.execute_wrapper(burn):
            yield
    except Killed:
        pass
