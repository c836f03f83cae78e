"""The page that compares two spaces and switches between them, there and back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.contrib.admin.utils import quote, unquote
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.formats import number_format
from django.utils.http import urlencode
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_http_methods

from imgrec import comparing, space_rows
from imgrec.admin.numbers import rounded
from imgrec.admin.pictured import pictured
from imgrec.admin.states import counted_html
from imgrec.comparing import Comparison
from imgrec.models import Space
from imgrec.spaces import SpaceDefinition, space_by_label, spaces_of
from imgrec.states import PhotoState, count_states

if TYPE_CHECKING:
    from imgrec.admin.space_admin import SpaceAdmin

# Lists shown with their pictures, and how many products each shows: as many as the tag does.
CHANGED = 12
SHOWN = 8


@dataclass(frozen=True)
class Side:
    """One of the two spaces. ``lost``: products that have a list in the other one only."""

    label: str
    name: str
    is_served: bool
    states: str
    ready: int
    photos: int
    lists: int
    lost: int

    @property
    def is_whole(self) -> bool:
        """Whether every photo that can be is embedded, by the encoder that is declared now."""
        return self.ready == self.photos


@require_http_methods(["GET", "HEAD", "POST"])
def serve(request: HttpRequest, admin: SpaceAdmin, object_id: str) -> HttpResponse:
    """Compare a space with the one shoppers see; switch on POST, and back."""
    row: Any = admin.get_object(request, unquote(object_id))
    space = space_by_label(row.label) if row else None
    if row is None or space is None:
        raise Http404
    if not admin.has_change_permission(request, row):
        raise PermissionDenied
    other = _other(space, request.GET.get("against"))
    if request.method == "POST":
        return _switch(request, admin, space, other)
    return _page(request, admin, row, space, other)


def _other(space: SpaceDefinition, asked: str | None) -> SpaceDefinition | None:
    """Return what to compare with: the space asked for, else the served one, else another."""
    others = [each for each in spaces_of(space.item_model) if each is not space]
    served = Space.objects.filter(is_served=True, label__in=[each.label for each in others])
    wanted = asked or served.values_list("label", flat=True).first()
    if asked and asked not in {each.label for each in others}:
        raise Http404(f"{asked} is no other space of the same products")
    return next((each for each in others if each.label == wanted), others[0] if others else None)


def _switch(
    request: HttpRequest, admin: SpaceAdmin, space: SpaceDefinition, other: SpaceDefinition | None
) -> HttpResponse:
    target = other if other and request.POST.get("serve") == other.label else space
    before = other if target is space else space
    lost = comparing.without_list(before, target) if before else 0
    if lost and not request.POST.get("anyway"):
        admin.message_user(request, _refusal(target, lost), messages.ERROR)
    else:
        with transaction.atomic():
            space_rows.serve(target.label)
            row = Space.objects.get(label=target.label)
            admin.log_change(request, row, gettext("Served from now on."))
        admin.message_user(request, _served(target, before), messages.SUCCESS)
    return HttpResponseRedirect(_address(admin, space, other))


def _refusal(target: SpaceDefinition, lost: int) -> str:
    text = ngettext(
        "Not switched: %(n)s product has no list in %(name)s yet. Wait until it is built "
        "(Progress shows how far it is), or tick “Switch all the same”.",
        "Not switched: %(n)s products have no list in %(name)s yet. Wait until they are built "
        "(Progress shows how far they are), or tick “Switch all the same”.",
        lost,
    )
    return text % {"n": number_format(lost), "name": target.label}


def _served(target: SpaceDefinition, before: SpaceDefinition | None) -> str:
    text = gettext("Shoppers now see the similar products of %(space)s.")
    text %= {"space": target.label}
    if before is None:
        return text
    back = gettext("The way back: “Back to %(name)s” below, whose lists stay as they are.")
    return f"{text} {back % {'name': name_of(before)}}"


def _address(admin: SpaceAdmin, space: SpaceDefinition, other: SpaceDefinition | None) -> str:
    name = admin.admin_site.name
    found = reverse("admin:imgrec_space_serve", args=[quote(space.label)], current_app=name)
    return f"{found}?{urlencode({'against': other.label})}" if other else found


def name_of(space: SpaceDefinition) -> str:
    """Return the field's name: what tells spaces of the same products apart."""
    return space.label.rpartition(".")[2]


def _page(
    request: HttpRequest,
    admin: SpaceAdmin,
    row: Space,
    space: SpaceDefinition,
    other: SpaceDefinition | None,
) -> TemplateResponse:
    request.current_app = admin.admin_site.name
    served = set(Space.objects.filter(is_served=True).values_list("label", flat=True))
    sides = [_side(a, b, served) for a, b in ((other, space), (space, other)) if a]
    whole = {
        **admin.admin_site.each_context(request),
        "title": gettext("Compare and serve"),
        "opts": admin.opts,
        "media": admin.media,
        "row": row,
        "sides": sides,
        "offered": [each for each in sides if not each.is_served],
        "is_back": space.label in served,
        "others": _others(admin, space, other),
    }
    if other:
        found = comparing.compare(other, space, SHOWN)
        whole |= _told(found)
        if _may_see(request, space):
            changed = [each for each in found.changed_first()[:CHANGED] if each.overlap < 1]
            whole["changed"] = pictured(changed, space, admin.admin_site)
    return TemplateResponse(request, "imgrec/admin/serve.html", whole)


def _told(found: Comparison) -> dict[str, Any]:
    bars = _bars(found)
    return {
        "comparison": found,
        "overlap_text": rounded(found.overlap or 0.0, 2),
        "margin_text": rounded(found.margin, 2),
        "bars": bars,
        "histogram_width": len(bars) * (BAR + GAP) - GAP,
        "changed": None,
    }


def _side(space: SpaceDefinition, other: SpaceDefinition | None, served: set[str]) -> Side:
    counts = count_states(space)
    never = counts[PhotoState.NO_PHOTO] + counts[PhotoState.EXCLUDED]
    return Side(
        label=space.label,
        name=name_of(space),
        is_served=space.label in served,
        states=counted_html(counts),
        ready=counts[PhotoState.READY],
        photos=sum(counts.values()) - never,
        lists=comparing.count_lists(space),
        lost=comparing.without_list(other, space) if other else 0,
    )


def _others(
    admin: SpaceAdmin, space: SpaceDefinition, other: SpaceDefinition | None
) -> list[dict[str, Any]]:
    """Return what else the space can be compared with, where there is a choice."""
    found = [each for each in spaces_of(space.item_model) if each is not space]
    if len(found) < 2:
        return []
    return [
        {
            "name": name_of(each),
            "url": _address(admin, space, each),
            "is_current": each is other,
        }
        for each in found
    ]


def _may_see(request: HttpRequest, space: SpaceDefinition) -> bool:
    """Return whether products may be shown to who is asking."""
    options = space.item_model._meta
    asked = [f"{options.app_label}.{verb}_{options.model_name}" for verb in ("view", "change")]
    return any(request.user.has_perm(each) for each in asked)


# The histogram's own units: the page scales it.
BAR, GAP, HEIGHT = 28, 6, 96


def _bars(found: Comparison) -> list[dict[str, int]]:
    """Return the bars of the histogram, as the picture draws them."""
    counted = found.histogram()
    most = max(counted) or 1
    return [
        {
            "shared": shared,
            "lists": lists,
            "left": shared * (BAR + GAP),
            "middle": shared * (BAR + GAP) + BAR // 2,
            "height": round(HEIGHT * lists / most),
            "top": 20 + HEIGHT - round(HEIGHT * lists / most),
            "above": 15 + HEIGHT - round(HEIGHT * lists / most),
        }
        for shared, lists in enumerate(counted)
    ]
