"""What a database holds once migrated: put back after each flush, from a copy.

Django has every app make its content types, permissions and spaces anew, which takes longer than
many a test does.
"""

from __future__ import annotations

from django.contrib.contenttypes.models import ContentType
from django.db import connection, transaction

_KEPT = "as_migrated"  # a schema that no query looks into


def keep() -> list[str]:
    """Copy the tables that are not empty; return their names."""
    quote = connection.ops.quote_name
    with connection.cursor() as cursor:
        cursor.execute(f"DROP SCHEMA IF EXISTS {_KEPT} CASCADE")
        cursor.execute(f"CREATE SCHEMA {_KEPT}")
        kept = []
        for name in connection.introspection.django_table_names(only_existing=True):
            cursor.execute(f"SELECT EXISTS (SELECT FROM {quote(name)})")
            if cursor.fetchone() == (True,):
                cursor.execute(f"CREATE TABLE {_KEPT}.{quote(name)} AS TABLE {quote(name)}")
                kept.append(name)
    return kept


def put_back(tables: list[str]) -> None:
    """Fill these tables, which are empty, from their copies."""
    names = [connection.ops.quote_name(name) for name in tables]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("; ".join(f"INSERT INTO {n} SELECT * FROM {_KEPT}.{n}" for n in names))
    ContentType.objects.clear_cache()
