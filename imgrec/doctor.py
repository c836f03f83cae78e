"""What ``imgrec_doctor`` finds: every photo in exactly one state, and whether anything is stuck."""

from __future__ import annotations

from typing import Any

from django.db.models import Count, Min
from django.db.models.functions import Now

from imgrec import first_load, health, index_facts, placeholders, shells
from imgrec.conf import settings
from imgrec.extension import installed_version, is_too_old
from imgrec.jobs import ENDED
from imgrec.models import EmbeddingJob, Space
from imgrec.spaces import SpaceDefinition, all_spaces
from imgrec.states import count_states

CARE = "imgrec_maintain --fix mends it"


def examine() -> dict[str, Any]:
    """Return the whole finding, ready for JSON; ``problems`` is empty when all is well."""
    spaces = [examine_space(space) for space in all_spaces()]
    queues = consumed_queues()
    problems = [f"{space['label']}: {problem}" for space in spaces for problem in space["problems"]]
    stalled = [each.stalled(after=settings.stalled_seconds) for each in health.examine()]
    problems += [each for each in stalled if each]
    consumed = None if queues is None else settings.queue in queues
    if consumed is False and any(s["active"] and s["waiting"] for s in spaces):
        problems.append(
            f"photos wait and no worker consumes the queue {settings.queue!r}: start "
            f'"{shells.worker()}"'
        )
    if not spaces:
        problems.append("no model has an ImageEmbeddingField")
    return {
        "spaces": spaces,
        "queue": settings.queue,
        "queue_consumed": consumed,
        "problems": problems,
    }


def examine_space(space: SpaceDefinition) -> dict[str, Any]:
    """Return one space's numbers and its problems."""
    row = Space.objects.using(space.using).filter(label=space.label).first()
    states = count_states(space)
    rows = space.model._base_manager.using(space.using).count()
    jobs = EmbeddingJob.objects.using(space.using).filter(space=space.label)
    undone = jobs.exclude(state__in=ENDED)
    found = {
        "label": space.label,
        "encoder": space.embedder.name,
        "version": space.embedder.version,
        "served_version": row.served_version if row else "",
        "served": bool(row and row.is_served),
        "active": bool(row is None or row.is_active),
        "rows": rows,
        "states": states,
        "vectors": _count_by(space.embedding_model.objects.using(space.using), "version"),
        "lists": space.list_model.objects.using(space.using).count(),
        "failed": _count_by(jobs.filter(state="failed"), "reason"),
        "placeholders": placeholders.found(space),
        "waiting": undone.count(),
        "waiting_because": _count_by(undone.exclude(reason=""), "reason"),
        "oldest_waiting_seconds": _oldest(undone),
        "weights": space.embedder.available() or "available",
        **_indexes(space),
        **_recall(row),
        "pgvector": installed_version(space.using),
    }
    problems = _problems(found)
    return {**found, "problems": problems}


def _problems(found: dict[str, Any]) -> list[str]:
    total = sum(found["states"].values())
    problems = []
    if total != found["rows"]:
        problems.append(f"states add up to {total}, rows are {found['rows']}")
    problems += found.pop("index_problems")
    if found["active"] and found["weights"] != "available":
        problems.append(found["weights"])
    if found["pgvector"] and is_too_old(found["pgvector"]):
        problems.append(f"pgvector {found['pgvector']} has errors that were mended since")
    if found["failed"]:
        reasons = ", ".join(f"{n} {reason}" for reason, n in found["failed"].items())
        problems.append(f"failed: {reasons}")
    return problems


def _count_by(rows: Any, column: str) -> dict[str, int]:
    return dict(rows.order_by().values_list(column).annotate(n=Count("pk")))


def _oldest(jobs: Any) -> float | None:
    age = jobs.aggregate(age=Now() - Min("created_at"))["age"]
    return None if age is None else round(age.total_seconds(), 1)


def _indexes(space: SpaceDefinition) -> dict[str, Any]:
    hnsw, gin = (index_facts.examine(space, kind) for kind in ("hnsw", "gin"))
    loading = hnsw.state == "missing" and first_load.is_loading(space)
    return {
        "index": hnsw.state,
        "index_bytes": hnsw.bytes,
        "index_bloat": hnsw.bloat,
        "lists_index": gin.state,
        "first_load": loading,  # without the index, by intention
        "index_problems": [
            f"{problem}; {CARE}"
            for each in (hnsw, gin)
            if not each.building and not (loading and each is hnsw)
            for problem in each.problems()
        ],
    }


def _recall(row: Space | None) -> dict[str, Any]:
    """Return what ``imgrec_recall --save`` measured and chose, if it ever ran."""
    measured_at = row.recall_measured_at if row else None
    return {
        "ef_search": row.ef_search if row else None,
        "recall": row.recall if row else None,
        "recall_measured_at": measured_at.isoformat() if measured_at else None,
    }


def consumed_queues() -> set[str] | None:
    """Return the queues that workers consume; None where nobody can be asked."""
    if shells.is_django():
        return None
    from imgrec import celery_post

    return celery_post.consumed_queues()
