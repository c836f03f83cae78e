"""The state of every photo row: exactly one, so that the numbers add up to the catalogue."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import (
    Case,
    CharField,
    Count,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    TextField,
    Value,
    When,
)
from django.db.models.functions import Cast
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from imgrec.models import EmbeddingJob
from imgrec.spaces import SpaceDefinition


class PhotoState(models.TextChoices):
    """First match wins, in this order."""

    NO_PHOTO = "no_photo", _("no photo")
    EXCLUDED = "excluded", _("excluded")
    FAILED = "failed", _("failed")
    LEASED = "leased", _("being embedded")
    QUEUED = "queued", _("queued")
    MISSING = "missing", pgettext_lazy("imgrec", "missing")
    STALE = "stale", _("out of date")
    READY = "ready", _("ready")


def annotate_state(
    rows: QuerySet[Any], space: SpaceDefinition, *, name: str = "imgrec_state"
) -> QuerySet[Any]:
    """Annotate rows that own photos with their :class:`PhotoState`, and ``<name>_reason``."""
    newest = EmbeddingJob.objects.filter(
        space=space.label, object_pk=Cast(OuterRef("pk"), TextField())
    ).order_by("-id")
    vector = space.embedding_model.objects.filter(owner=OuterRef("pk"))
    fresh = vector.filter(source_name=OuterRef(space.source), version=space.embedder.version)
    job, source = f"{name}_job", space.source
    rows = rows.alias(
        **{
            job: Subquery(newest.values("state")[:1]),
            f"{name}_stored": models.Exists(vector),
            f"{name}_fresh": models.Exists(fresh),
        }
    )
    state = Case(
        When(Q(**{source: ""}) | Q(**{f"{source}__isnull": True}), then=Value(PhotoState.NO_PHOTO)),
        When(**{job: "excluded"}, then=Value(PhotoState.EXCLUDED)),
        When(**{job: "failed"}, then=Value(PhotoState.FAILED)),
        When(**{job: "leased"}, then=Value(PhotoState.LEASED)),
        When(**{f"{job}__in": ["queued", "lists"]}, then=Value(PhotoState.QUEUED)),
        When(**{f"{name}_stored": False}, then=Value(PhotoState.MISSING)),
        When(**{f"{name}_fresh": False}, then=Value(PhotoState.STALE)),
        default=Value(PhotoState.READY),
        output_field=CharField(),
    )
    reason = Subquery(newest.values("reason")[:1])
    annotated: QuerySet[Any] = rows.annotate(**{name: state, f"{name}_reason": reason})
    return annotated


def count_states(space: SpaceDefinition) -> dict[str, int]:
    """Return how many photo rows are in each state, every state named."""
    rows = space.model._base_manager.using(space.using).order_by()
    counted = annotate_state(rows, space).values("imgrec_state").annotate(n=Count("pk"))
    found = dict(counted.values_list("imgrec_state", "n"))
    return {state.value: found.get(state.value, 0) for state in PhotoState}
