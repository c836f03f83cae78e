"""The first load of a catalogue: without the index, which is built once the load is done.

Adding a row to an HNSW index costs more than all else about storing it, and building the
index over rows that are there is several times quicker. So while no vector is stored yet and
many photos wait, a worker drops it; when few are left, whoever is idle builds it. Nothing is
remembered but in PostgreSQL: a missing index and a short queue say what to do, whoever was
killed. While it is missing searches are exact, and slower.
"""

from __future__ import annotations

import logging
import time

from django.db import connections, transaction
from django.db.utils import OperationalError

from imgrec import photo_queries
from imgrec.index_building import LOCK, IndexBusy, IndexRefused, mend, statements, what_to_run
from imgrec.index_facts import examine
from imgrec.jobs import OPEN
from imgrec.locks import advisory_lock
from imgrec.logs import about
from imgrec.models import EmbeddingJob
from imgrec.spaces import SpaceDefinition

logger = logging.getLogger(__name__)

# So many photos waiting for an empty table are a first load; it is over when fewer than that
# wait. 20,000 rows of 512 dimensions took 23 s with the index, 3.5 s without and 3.9 s to build.
LOAD_FROM = 10_000
LOADED_BELOW = 1_000
# What a DROP INDEX may keep readers waiting for, if one of them is slow.
LOCK_WAIT = "500ms"
# After a build that failed this process leaves the space alone for so long.
RETRY_SECONDS = 3600.0

_told: set[str] = set()
_failed_at: dict[str, float] = {}


def begin(space: SpaceDefinition) -> bool:
    """Drop the index if a first load is due and this role may; return whether it did."""
    if not _is_due(space):
        return False
    try:
        with transaction.atomic(using=space.using):
            return advisory_lock(space, LOCK) and _is_due(space) and _drop(space)
    except OperationalError as error:
        logger.info(
            "imgrec: %s keeps its index for the first load: %s",
            space.label,
            error,
            extra=about(space),
        )
        return False


def _is_due(space: SpaceDefinition) -> bool:
    stored = space.embedding_model.objects.using(space.using)
    return not stored.exists() and _are_waiting(space, LOAD_FROM)


def _drop(space: SpaceDefinition) -> bool:
    facts = examine(space, rows=0)
    if facts.state == "missing" or facts.building:
        return False
    if not facts.may_change:
        text = "imgrec: %s keeps its index for the first load: %s belongs to the role %s"
        _tell_once(space, text, facts.table, facts.owner)
        return False
    connection = connections[space.using]
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('lock_timeout', %s, true)", [LOCK_WAIT])
        cursor.execute(f"DROP INDEX {connection.ops.quote_name(facts.name)}")
    logger.info("imgrec: %s: index dropped for the first load", space.label, extra=about(space))
    return True


def is_loading(space: SpaceDefinition) -> bool:
    """Return whether so many photos wait that the index had better come after them."""
    return _are_waiting(space, LOADED_BELOW)


def _are_waiting(space: SpaceDefinition, at_least: int) -> bool:
    """Return whether so many photos wait, other than those that cannot go on for a reason."""
    waiting = EmbeddingJob.objects.using(space.using).filter(
        space=space.label, state__in=OPEN, reason=""
    )
    return waiting.values("id")[:at_least].count() == at_least


def finish(space: SpaceDefinition) -> bool:
    """Build the index if it is missing or invalid and no load goes on; return whether it did.

    Shoppers' photos are answered meanwhile. Trouble is logged: whoever runs this has other
    work, too.
    """
    if connections[space.using].in_atomic_block or _failed_lately(space):
        return False
    facts = examine(space, rows=0)
    if facts.state == "valid" or facts.building or is_loading(space):
        return False
    if not facts.may_change:
        _tell_once(space, "imgrec: %s: %s", what_to_run(facts, statements(space, facts)))
        return False
    logger.info("imgrec: %s: building the index", space.label, extra=about(space))
    try:
        return mend(space, watch=lambda building: photo_queries.answer_waiting())
    except IndexBusy:
        return False
    except IndexRefused as error:
        _failed_at[space.label] = time.monotonic()
        logger.warning("imgrec: %s: %s", space.label, error, extra=about(space))
        return False


def _failed_lately(space: SpaceDefinition) -> bool:
    failed_at = _failed_at.get(space.label)
    return failed_at is not None and time.monotonic() - failed_at < RETRY_SECONDS


def _tell_once(space: SpaceDefinition, text: str, *values: str) -> None:
    """Warn, once in the life of this process: it comes by here every few seconds."""
    said = text % (space.label, *values)
    if said not in _told:
        _told.add(said)
        logger.warning("%s", said, extra=about(space))
