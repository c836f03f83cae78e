"""What all pages of a shop's model have in common: who may see them, and their frame."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.template.response import TemplateResponse

from imgrec.admin.addresses import address
from imgrec.admin.choosing import page_space, shown_space, spaces_for
from imgrec.spaces import SpaceDefinition

if TYPE_CHECKING:
    from imgrec.admin.mixin import ImgrecAdminMixin

# How often a page of progress asks: its script, and the page itself where scripts are off.
POLL_SECONDS = 2
REFRESH_SECONDS = 5


def for_viewers(request: HttpRequest, admin: ImgrecAdminMixin) -> SpaceDefinition:
    """Return the space of a page for those who may see the model.

    Raises:
        PermissionDenied: they may not.
        Http404: there is no such space.
    """
    if not admin.has_view_permission(request):
        raise PermissionDenied
    return page_space(request, admin.model)


def for_reindexers(request: HttpRequest, admin: ImgrecAdminMixin) -> SpaceDefinition:
    """Return the space of a page for those who may reindex; raises as :func:`for_viewers`."""
    if not admin.has_reindex_permission(request):
        raise PermissionDenied
    return page_space(request, admin.model)


def rendered(
    request: HttpRequest,
    admin: ImgrecAdminMixin,
    space: SpaceDefinition,
    page: str,
    title: str,
    context: dict[str, Any],
) -> TemplateResponse:
    """Return ``imgrec/admin/<page>.html`` in the admin's own look, with links to other spaces."""
    request.current_app = admin.admin_site.name
    shown = shown_space(request, admin.model)
    same = {name: request.GET[name] for name in ("product", "other") if name in request.GET}
    spaces = [
        {
            "name": each.label.rpartition(".")[2],
            "url": address(admin, page, each, **same),
            "is_current": each is space,
            "is_served": each is shown,
        }
        for each in spaces_for(admin.model)
    ]
    whole = {
        **admin.admin_site.each_context(request),
        "title": title,
        "opts": admin.opts,
        "media": admin.media,
        "space": space,
        "spaces": spaces,
        "has_view_permission": admin.has_view_permission(request),
        **context,
    }
    return TemplateResponse(request, f"imgrec/admin/{page}.html", whole)
