"""The settings of PostgreSQL under which live searches run."""

from __future__ import annotations

from imgrec.conf import settings
from imgrec.guest import LOCK_TIMEOUT_MS, Sql, quoted
from imgrec.models import Space
from imgrec.spaces import SpaceDefinition

# The host's own, where it is stricter than ours.
_LIMIT = (
    "CASE WHEN current_setting('{name}')::interval BETWEEN interval '1 ms' AND interval '{most} ms'"
    " THEN current_setting('{name}') ELSE '{most}' END"
)


def search_settings(space: SpaceDefinition | None = None) -> dict[str, str | int]:
    """Return the settings of a search in order: go on scanning until the filters are satisfied.

    ``hnsw.ef_search``: what was measured for the space, else the setting.
    """
    return {"hnsw__iterative_scan": "strict_order", "hnsw__ef_search": _ef_search(space)}


def pool_settings(space: SpaceDefinition) -> dict[str, str | int]:
    """Return the settings of a search that sorts anew what the index gives.

    ``relaxed_order``: in strict order the index withholds what it finds late. No ``jit``: its
    compiling takes longer than any search.
    """
    found: dict[str, str | int] = {
        "hnsw__iterative_scan": "relaxed_order",
        "hnsw__ef_search": _ef_search(space),
        "jit": "off",
        "lock_timeout": _limit("lock_timeout", LOCK_TIMEOUT_MS),
    }
    if settings.live_timeout_ms:
        found["statement_timeout"] = _limit("statement_timeout", settings.live_timeout_ms)
    return found


def _limit(name: str, most: int) -> Sql:
    return Sql(_LIMIT.format(name=name, most=int(most)))


def _ef_search(space: SpaceDefinition | None) -> str | int:
    if space is None:
        return settings.ef_search
    measured = f"SELECT ef_search FROM {Space._meta.db_table} WHERE label = {quoted(space.label)}"  # noqa: S608 - quoted
    return Sql(f"coalesce(({measured}), {int(settings.ef_search)})::text")
