"""The duplicate desk: products with the same photo side by side, and what people say they are."""

from __future__ import annotations

from functools import partial
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from imgrec.admin import desk
from imgrec.admin.read_only import ReadOnlyAdmin
from imgrec.duplicates import deciding, running
from imgrec.models import DuplicateLimits, DuplicatePair
from imgrec.poke import poke
from imgrec.spaces import SpaceDefinition, all_spaces, space_by_label

TASK = "imgrec.find_duplicates"


@admin.register(DuplicatePair)
class DuplicatePairAdmin(ReadOnlyAdmin):
    """The list of pairs is the desk; workers find them, people decide about them."""

    def has_decide_permission(self, request: HttpRequest) -> bool:
        """Who may decide: whoever was given the permission to change pairs of duplicates."""
        return self.may_act(request)

    @property
    def media(self) -> forms.Media:
        """Our styles, and keys for the three buttons."""
        ours = forms.Media(css={"all": ["imgrec/admin.css"]}, js=["imgrec/duplicates.js"])
        return super().media + ours

    def get_urls(self) -> list[Any]:
        """Put the desk in the place of the list, and what its buttons do beside it."""
        views = {"changelist": ("", show), "decide": ("decide/", decide), "find": ("find/", find)}
        own = [
            path(
                address,
                self.admin_site.admin_view(partial(view, admin=self)),
                name=f"imgrec_duplicatepair_{name}",
            )
            for name, (address, view) in views.items()
        ]
        return [*own, *super().get_urls()]

    def address(self, space: SpaceDefinition, view: str = "changelist", **query: Any) -> str:
        """Return the address of the desk, or of what a button does."""
        name = f"admin:imgrec_duplicatepair_{view}"
        found = reverse(name, current_app=self.admin_site.name)
        return f"{found}?{urlencode({'space': space.label, **query})}"


@require_GET
def show(request: HttpRequest, admin: DuplicatePairAdmin) -> HttpResponse:
    """Show what waits for a decision, or with ``?show=decided`` what was decided."""
    if not admin.has_view_permission(request):
        raise PermissionDenied
    space = _space(request)
    decided = request.GET.get("show") == "decided"
    page_of = desk.decided_page if decided else desk.open_page
    query = {"show": "decided"} if decided else {}
    limits = DuplicateLimits.objects.using(space.using).filter(space=space.label).first()
    request.current_app = admin.admin_site.name
    context = {
        **admin.admin_site.each_context(request),
        "title": _("Products with the same photo"),
        "opts": admin.opts,
        "media": admin.media,
        "space": space,
        "spaces": _others(admin, space),
        "page": page_of(space, admin.admin_site, request.GET.get("page")),
        "page_url": admin.address(space, **query),
        "is_decided": decided,
        "open_url": admin.address(space),
        "decided_url": admin.address(space, show="decided"),
        "progress": running.progress(space),
        "limits": limits,
        "shares": _shares(limits),
        "may_decide": admin.has_decide_permission(request),
        "decide_url": admin.address(space, "decide"),
        "find_url": admin.address(space, "find"),
        "has_view_permission": True,
    }
    return TemplateResponse(request, "imgrec/admin/duplicates.html", context)


def _shares(limits: DuplicateLimits | None) -> list[tuple[str, int]]:
    """Return in words what the limits find of each kind of copy, in whole percents."""
    words = {
        "recompressed": _("recompressed"),
        "resized": _("resized"),
        "cropped": _("cropped"),
    }
    found = limits.found if limits else {}
    return [(words[kind], int(100 * share)) for kind, share in found.items() if kind in words]


def _others(admin: DuplicatePairAdmin, space: SpaceDefinition) -> list[dict[str, Any]]:
    """Return the spaces in which duplicates were looked for, as links."""
    looked = set(DuplicateLimits.objects.using(space.using).values_list("space", flat=True))
    return [
        {"name": each.label, "url": admin.address(each), "is_current": each is space}
        for each in all_spaces()
        if each is space or each.label in looked
    ]


def _space(request: HttpRequest) -> SpaceDefinition:
    """Return the space asked for, else the first that has anything to decide about."""
    label = request.GET.get("space")
    if label is None:
        label = DuplicatePair.objects.filter(decision="").values_list("space", flat=True).first()
        space = space_by_label(label or "") or next(iter(all_spaces()), None)
    else:
        space = space_by_label(label)
    if space is None:
        raise Http404(f"There is no space {label or ''}.")
    return space


@require_POST
def decide(request: HttpRequest, admin: DuplicatePairAdmin) -> HttpResponse:
    """Keep a decision about the products that are ticked, or ask again about a pair."""
    space = _for_deciders(request, admin)
    again = request.POST.getlist("again")
    if again:
        made = deciding.reopen(space, again)
        text = ngettext("%(n)d pair is open again.", "%(n)d pairs are open again.", made)
        admin.message_user(request, text % {"n": made}, messages.SUCCESS)
        return HttpResponseRedirect(admin.address(space, show="decided"))
    try:
        deciding.decide(
            space,
            request.POST.getlist("item"),
            request.POST.get("decision", ""),
            by=request.user.get_username(),
        )
    except ValueError as error:
        admin.message_user(request, str(error), messages.ERROR)
    except Exception as error:  # noqa: BLE001 - the shop's receivers may raise whatever they like
        text = _("Nothing was kept, for the shop's own code says: %(error)s")
        admin.message_user(request, text % {"error": error}, messages.ERROR)
    else:
        label = DuplicatePair.Decision(request.POST["decision"]).label
        text = _("Remembered: %(decision)s.") % {"decision": label}
        admin.message_user(request, text, messages.SUCCESS)
    return HttpResponseRedirect(admin.address(space, page=request.POST.get("page", "1")))


@require_POST
def find(request: HttpRequest, admin: DuplicatePairAdmin) -> HttpResponse:
    """Have workers look for duplicates."""
    space = _for_deciders(request, admin)
    poke(TASK)
    text = _("Workers are looking for duplicates; come back in a while.")
    admin.message_user(request, text, messages.SUCCESS)
    return HttpResponseRedirect(admin.address(space))


def _for_deciders(request: HttpRequest, admin: DuplicatePairAdmin) -> SpaceDefinition:
    if not admin.has_decide_permission(request):
        raise PermissionDenied
    return _space(request)
