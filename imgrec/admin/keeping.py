"""The button that has the rules of a better set always hold."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import NoReverseMatch, reverse
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from imgrec.earning import winners
from imgrec.earning.tables import Experiment

RIGHTS = ("imgrec.change_experiment", "imgrec.change_rule")


@require_POST
def keep(request: HttpRequest, pk: int, admin: Any) -> HttpResponse:
    """End a comparison and keep the set that is better."""
    if not may_keep(request):
        raise PermissionDenied
    experiment = get_object_or_404(Experiment, pk=pk)
    try:
        kept = winners.keep(experiment)
    except ValueError as error:
        admin.message_user(request, str(error), messages.ERROR)
    else:
        text = ngettext("%(n)d rule always holds now.", "%(n)d rules always hold now.", kept)
        admin.log_change(request, experiment, text % {"n": kept})
        admin.message_user(request, text % {"n": kept}, messages.SUCCESS)
    site = admin.admin_site.name
    return redirect(reverse("admin:imgrec_experiment_changelist", current_app=site))


def may_keep(request: HttpRequest) -> bool:
    """Return whether somebody may do what the button does."""
    user: Any = request.user
    return bool(user.has_perms(RIGHTS))


def keep_url(experiment: Experiment, site: str) -> str:
    """Return the button's address; "": the shop has unregistered comparisons."""
    try:
        return reverse("admin:imgrec_experiment_keep", args=[experiment.pk], current_app=site)
    except NoReverseMatch:
        return ""
