"""The photos that failed: a page of them, and which of them to try again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.admin import AdminSite
from django.core.paginator import Page, Paginator
from django.db.models import Count, Exists, OuterRef, QuerySet
from django.http import QueryDict

from imgrec.admin.addresses import change_url
from imgrec.admin.photos import Photo, photo_of
from imgrec.models import EmbeddingJob
from imgrec.reasons import Reason
from imgrec.spaces import SpaceDefinition

FAILURES_A_PAGE = 50
# Reasons that leave a file which a browser can show.
SHOWABLE = {Reason.NO_FEATURES, Reason.EMBEDDER_FAILED}


@dataclass(frozen=True)
class Failure:
    """A failed job and the row that owns the photo; the row may be gone."""

    object_pk: str
    title: str
    url: str
    photo: Photo
    reason: Reason | None
    advice: str
    detail: str


def failed_jobs(space: SpaceDefinition, reason: str = "") -> QuerySet[EmbeddingJob]:
    """Return the failed jobs that no newer job of the same photo has overtaken."""
    jobs = EmbeddingJob.objects.using(space.using).filter(space=space.label)
    newer = jobs.filter(object_pk=OuterRef("object_pk"), id__gt=OuterRef("id"))
    found = jobs.filter(~Exists(newer), state=EmbeddingJob.State.FAILED)
    return found.filter(reason=reason) if reason else found


def page_of(
    space: SpaceDefinition, site: AdminSite, reason: str, number: str | None
) -> Page[EmbeddingJob | Failure]:
    """Return a page of failures, the newest first."""
    paginator: Paginator[EmbeddingJob | Failure] = Paginator(
        failed_jobs(space, reason).order_by("-id"), FAILURES_A_PAGE
    )
    page = paginator.get_page(number)
    page.object_list = _with_owners(space, site, list(page.object_list))
    return page


def _with_owners(space: SpaceDefinition, site: AdminSite, jobs: Sequence[Any]) -> list[Failure]:
    to_key = space.model._meta.pk.to_python
    keys = {job.object_pk: to_key(job.object_pk) for job in jobs}
    rows = space.model._base_manager.using(space.using)
    if space.item:
        rows = rows.select_related(space.item)
    owners = rows.in_bulk(list(keys.values()))
    return [_failure(space, site, job, owners.get(keys[job.object_pk])) for job in jobs]


def _failure(space: SpaceDefinition, site: AdminSite, job: EmbeddingJob, owner: Any) -> Failure:
    reason = Reason(job.reason) if job.reason in Reason.values else None
    advice = str(reason.advice) if reason else ""
    photo = photo_of(owner, space) if owner is not None else Photo()
    item = getattr(owner, space.item) if owner is not None and space.item else owner
    return Failure(
        object_pk=job.object_pk,
        title=str(item) if item is not None else "",
        url=_change_url(owner, item, site),
        photo=Photo(photo.name or job.source_name, photo.url if reason in SHOWABLE else ""),
        reason=reason,
        advice=advice,
        # what the worker wrote, in its language, beyond the advice that is translated here
        detail=job.message.removeprefix(advice).strip(" ()"),
    )


def _change_url(owner: Any, item: Any, site: AdminSite) -> str:
    """Return where the photo can be replaced: its own change page, or its product's."""
    pages = (change_url(row, site) for row in (owner, item) if row is not None)
    return next(filter(None, pages), "")


def count_reasons(space: SpaceDefinition) -> list[tuple[Reason, int]]:
    """Return how many photos failed for each reason, the most frequent first."""
    counted = failed_jobs(space).values("reason").annotate(n=Count("pk")).order_by("-n", "reason")
    pairs = counted.values_list("reason", "n")
    return [(Reason(code), n) for code, n in pairs if code in Reason.values]


def asked_for(space: SpaceDefinition, form: QueryDict) -> list[str] | None:
    """Return the photos' keys a retry is about; None: all that failed."""
    which, reason = form.get("retry"), form.get("reason", "")
    if which == "all" and not reason:
        return None
    if which == "all":
        return list(failed_jobs(space, reason).values_list("object_pk", flat=True))
    return form.getlist("selected" if which == "selected" else "one")
