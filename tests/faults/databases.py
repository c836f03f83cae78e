"""A database of a test's own, to be broken for good."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from django.db import connection
from psycopg import sql


def somebody_else(database: str = "", *, autocommit: bool = False) -> psycopg.Connection[Any]:
    """Connect to the tests' server, to the database in use unless another is named."""
    to = connection.settings_dict
    return psycopg.connect(
        host=to["HOST"],
        port=to["PORT"],
        user=to["USER"],
        password=to["PASSWORD"],
        dbname=database or to["NAME"],
        autocommit=autocommit,
    )


@contextmanager
def copied(copy: str = "imgrec_broken") -> Iterator[None]:
    """Work on a copy of the database inside; the original is as it was afterwards."""
    name = connection.settings_dict["NAME"]
    names = {"copy": sql.Identifier(copy), "name": sql.Identifier(name)}
    drop = sql.SQL("DROP DATABASE IF EXISTS {copy} WITH (FORCE)").format(**names)
    make = sql.SQL("CREATE DATABASE {copy} TEMPLATE {name} STRATEGY file_copy").format(**names)
    connection.close()
    with somebody_else("postgres", autocommit=True) as administrator:
        administrator.execute(drop)
        administrator.execute(make)
        connection.settings_dict["NAME"] = copy
        try:
            yield
        finally:
            connection.close()
            connection.settings_dict["NAME"] = name
            administrator.execute(drop)
