"""The pages a shop's model gets: reindex everything, its progress, photos that failed."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from imgrec import jobs, runs
from imgrec.admin import explaining, failures, overviews, words
from imgrec.admin.addresses import address, url_name
from imgrec.admin.buying_page import buying_list
from imgrec.admin.page import (
    POLL_SECONDS,
    REFRESH_SECONDS,
    for_reindexers,
    for_viewers,
    rendered,
)
from imgrec.admin.steps import steps
from imgrec.reasons import Reason
from imgrec.spaces import SpaceDefinition
from imgrec.sweep import with_photo
from imgrec.watching import Watch

if TYPE_CHECKING:
    from imgrec.admin.mixin import ImgrecAdminMixin


def urls(admin: ImgrecAdminMixin) -> list[Any]:
    """Return the pages' url patterns, to stand before the admin's own."""
    views: dict[str, Callable[..., HttpResponse]] = {
        "overview": overview,
        "run": run,
        "reindex": reindex,
        "progress": progress,
        "progress_data": progress_data,
        "failed": failed,
        "retry": retry,
        "why": why,
        "part": part,
        "buying_list": buying_list,
    }
    found = [
        path(
            f"imgrec/{name.replace('_', '-')}/",
            admin.admin_site.admin_view(partial(view, admin=admin)),
            name=url_name(admin, name),
        )
        for name, view in views.items()
    ]
    of_one = admin.admin_site.admin_view(partial(steps, admin=admin))
    name = url_name(admin, "steps")
    return [*found, path("imgrec/steps/<path:object_id>/", of_one, name=name)]


@require_GET
def overview(request: HttpRequest, admin: ImgrecAdminMixin) -> HttpResponse:
    """Show in one place how the space is: what is there, what waits, how fresh and how good."""
    space = for_viewers(request, admin)
    now = runs.progress(space, watch=_watch(request))
    context = {
        **_run_context(request, admin, space, now, "overview"),
        "reasons": failures.count_reasons(space),
        "retry_url": address(admin, "retry", space),
        "may_reindex": admin.has_reindex_permission(request),
        **overviews.of(space),
    }
    return rendered(request, admin, space, "overview", pgettext("imgrec", "Overview"), context)


@require_POST
def run(request: HttpRequest, admin: ImgrecAdminMixin) -> HttpResponse:
    """Pause, resume or cancel the reindex that is running."""
    space = for_reindexers(request, admin)
    try:
        text = _steer(space, request.POST.get("action", ""))
    except runs.RunRefused as refused:
        admin.message_user(request, str(refused), messages.ERROR)
    else:
        admin.message_user(request, text, messages.SUCCESS)
    return HttpResponseRedirect(address(admin, "overview", space))


def _steer(space: SpaceDefinition, action: str) -> str:
    """Do what a button asks for and say what was done. Raises ``Http404`` for anything else."""
    if action == "pause":
        runs.pause(space)
        return _("Paused. Photos that are saved meanwhile are embedded as ever.")
    if action == "resume":
        runs.resume(space)
        return _("The reindex goes on.")
    if action == "cancel":
        return words.cancelled(runs.cancel(space))
    raise Http404(f"There is no action {action!r}.")


@require_http_methods(["GET", "HEAD", "POST"])
def reindex(request: HttpRequest, admin: ImgrecAdminMixin) -> HttpResponse:
    """Ask first, with how many photos it is about; start on POST."""
    space = for_reindexers(request, admin)
    if request.method == "POST":
        return _start(request, admin, space)
    context = {
        "count": with_photo(space).count(),
        "refusal": runs.refusal(space),
        "progress_url": address(admin, "progress", space),
    }
    return rendered(request, admin, space, "reindex", _("Reindex all photos"), context)


def _start(
    request: HttpRequest, admin: ImgrecAdminMixin, space: SpaceDefinition
) -> HttpResponseRedirect:
    try:
        made = runs.start(space)
    except runs.RunRefused as refused:
        admin.message_user(request, str(refused), messages.ERROR)
    else:
        admin.message_user(request, words.queued(made), messages.SUCCESS)
    return HttpResponseRedirect(address(admin, "progress", space))


@require_GET
def progress(request: HttpRequest, admin: ImgrecAdminMixin) -> HttpResponse:
    """Show how far the reindex is; the page keeps itself up to date while there is work."""
    space = for_viewers(request, admin)
    now = runs.progress(space, watch=_watch(request))
    context = _run_context(request, admin, space, now, "progress")
    return rendered(request, admin, space, "progress", _("Reindex progress"), context)


def _run_context(
    request: HttpRequest,
    admin: ImgrecAdminMixin,
    space: SpaceDefinition,
    now: runs.Progress,
    page: str,
) -> dict[str, Any]:
    """Return what a page shows of a run that keeps itself up to date."""
    context = {
        "progress": now,
        "said": words.said(now),
        "poll_url": address(admin, "progress_data", space, watch=now.watch),
        "poll_milliseconds": POLL_SECONDS * 1000,
        "refresh_url": address(admin, page, space, watch=now.watch),
        "refresh_seconds": REFRESH_SECONDS,
        "failed_url": address(admin, "failed", space),
        "overview_url": address(admin, "overview", space),
    }
    if admin.has_reindex_permission(request):
        context["reindex_url"] = address(admin, "reindex", space)
        context["run_url"] = address(admin, "run", space)
    return context


@require_GET
def progress_data(request: HttpRequest, admin: ImgrecAdminMixin) -> JsonResponse:
    """Give the numbers and sentences of the progress page, and where to ask next."""
    space = for_viewers(request, admin)
    now = runs.progress(space, watch=_watch(request))
    return JsonResponse(
        {
            "total": now.total,
            "done": now.done,
            "failed": now.failed,
            "waiting": now.waiting,
            "running": now.running,
            "stalled": now.stalled,
            "rate_per_second": now.rate_per_second,
            "seconds_left": now.seconds_left,
            "busy": words.is_busy(now),
            "said": words.said(now),
            "next": address(admin, "progress_data", space, watch=now.watch),
        }
    )


def _watch(request: HttpRequest) -> Watch | None:
    return Watch.parse(request.GET.get("watch", ""))


@require_GET
def failed(request: HttpRequest, admin: ImgrecAdminMixin) -> HttpResponse:
    """List the photos that failed, each with its reason and what to do."""
    space = for_viewers(request, admin)
    reason = request.GET.get("reason", "")
    context = {
        "failures": failures.page_of(space, admin.admin_site, reason, request.GET.get("page")),
        "reasons": failures.count_reasons(space),
        "reason": Reason(reason) if reason in Reason.values else None,
        "failed_url": address(admin, "failed", space),
    }
    if admin.has_reindex_permission(request):
        context["retry_url"] = address(admin, "retry", space)
    return rendered(request, admin, space, "failed", _("Photos that failed"), context)


@require_POST
def retry(request: HttpRequest, admin: ImgrecAdminMixin) -> HttpResponse:
    """Queue failed photos again: one, those ticked, all, or all of a reason."""
    space = for_reindexers(request, admin)
    made = jobs.retry_failed(space, failures.asked_for(space, request.POST))
    if made:
        runs.poke_once_committed(space)
        admin.message_user(request, words.queued(made), messages.SUCCESS)
    else:
        admin.message_user(request, _("No failed photo was selected."), messages.WARNING)
    return HttpResponseRedirect(address(admin, "failed", space))


@require_GET
def why(request: HttpRequest, admin: ImgrecAdminMixin) -> HttpResponse:
    """Show which regions of two photos made their similarity."""
    space = for_viewers(request, admin)
    product = explaining.product_of(request, admin, space)
    context = explaining.why(request, admin, space, product)
    return rendered(request, admin, space, "why", _("Why similar"), context)


@require_GET
def part(request: HttpRequest, admin: ImgrecAdminMixin) -> HttpResponse:
    """Choose a part of a photo, and show what looks like it."""
    space = for_viewers(request, admin)
    product = explaining.product_of(request, admin, space)
    context = explaining.part(request, admin, space, product)
    return rendered(request, admin, space, "part", _("More like this part"), context)
