"""The spaces: what is served, what is ready, and switching between encoders."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import quote, unquote
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet, Value
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from imgrec import space_rows
from imgrec.admin.addresses import address
from imgrec.admin.mixin import ImgrecAdminMixin
from imgrec.admin.states import counted_html
from imgrec.models import Space
from imgrec.spaces import SpaceDefinition, space_by_label
from imgrec.states import PhotoState, count_states

_SHOWN = ["version", "photos", "run_started_at", "links"]


@admin.register(Space)
class SpaceAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Spaces come and go with the fields of the shop's models: here they are only switched."""

    list_display = ["label", "is_served", "is_active", "version", "photos", "links"]
    ordering = ["item_model", "label"]
    fields = ["label", "item_model", "is_active", "is_served", *_SHOWN]
    readonly_fields = ["label", "item_model", "is_served", *_SHOWN]

    class Media:
        css = {"all": ["imgrec/admin.css"]}

    def has_add_permission(self, request: HttpRequest) -> bool:
        """A space is made by declaring a field."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A space goes by removing its field."""
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Note on the rows who is asking: columns are not told."""
        may_serve = self.has_change_permission(request)
        rows: QuerySet[Any] = super().get_queryset(request).annotate(may_serve=Value(may_serve))
        return rows

    @admin.display(description=_("encoder"))
    def version(self, row: Space) -> str:
        """Show which version shoppers see, and which is on its way."""
        space = space_by_label(row.label)
        coming = space.embedder.version if space else ""
        context = {"served": row.served_version, "coming": coming}
        return render_to_string("imgrec/admin/version.html", context)

    @admin.display(description=_("photos"))
    def photos(self, row: Space) -> str:
        """Show how many photos are in each state, counted once a row."""
        space = space_by_label(row.label)
        return counted_html(_counts(row, space)) if space else self.get_empty_value_display()

    @admin.display(description=_("pages"))
    def links(self, row: Space) -> str:
        """Link to the pages about this space."""
        space = space_by_label(row.label)
        shop = _shop_admin(self.admin_site, space) if space else None
        found: dict[str, Any] = {}
        if space and shop:
            found = {
                page: address(shop, page, space) for page in ("overview", "progress", "failed")
            }
        if space and not row.is_served and getattr(row, "may_serve", False):
            found["serve"] = self._serve_url(row)
        return render_to_string("imgrec/admin/space_links.html", found)

    def _serve_url(self, row: Space) -> str:
        name = self.admin_site.name
        return reverse("admin:imgrec_space_serve", args=[quote(row.pk)], current_app=name)

    def get_urls(self) -> list[Any]:
        """Add the page that asks before another space is served."""
        view = self.admin_site.admin_view(partial(serve, admin=self))
        own = path("<path:object_id>/serve/", view, name="imgrec_space_serve")
        return [own, *super().get_urls()]


def _counts(row: Any, space: SpaceDefinition) -> dict[str, int]:
    if not hasattr(row, "_imgrec_counts"):
        row._imgrec_counts = count_states(space)
    counts: dict[str, int] = row._imgrec_counts
    return counts


def _shop_admin(site: admin.AdminSite, space: SpaceDefinition) -> ImgrecAdminMixin | None:
    """Return the admin that has pages about the space: the products', else their photos'."""
    for model in (space.item_model, space.model):
        if site.is_registered(model):
            found = site.get_model_admin(model)
            if isinstance(found, ImgrecAdminMixin):
                return found
    return None


@require_http_methods(["GET", "HEAD", "POST"])
def serve(request: HttpRequest, admin: SpaceAdmin, object_id: str) -> HttpResponse:
    """Ask, with what is ready in both spaces; switch on POST."""
    row: Any = admin.get_object(request, unquote(object_id))
    space = space_by_label(row.label) if row else None
    if row is None or space is None:
        raise Http404
    if not admin.has_change_permission(request, row):
        raise PermissionDenied
    if request.method == "POST":
        space_rows.serve(row.label)
        admin.log_change(request, row, gettext("Served from now on."))
        text = gettext("Shoppers now see the similar products of %(space)s.")
        text %= {"space": row.label}
        admin.message_user(request, text, messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:imgrec_space_changelist"))
    return _confirm(request, admin, row, space)


def _confirm(
    request: HttpRequest, admin: SpaceAdmin, row: Space, space: SpaceDefinition
) -> TemplateResponse:
    counts = count_states(space)
    never = counts[PhotoState.NO_PHOTO] + counts[PhotoState.EXCLUDED]
    photos = sum(counts.values()) - never
    now = Space.objects.filter(item_model=row.item_model, is_served=True).first()
    request.current_app = admin.admin_site.name
    context = {
        **admin.admin_site.each_context(request),
        "title": gettext("Serve this space"),
        "opts": admin.opts,
        "media": admin.media,
        "row": row,
        "now": now,
        "ready": counts[PhotoState.READY],
        "photos": photos,
        "is_whole": counts[PhotoState.READY] == photos,
        "states": counted_html(counts),
    }
    return TemplateResponse(request, "imgrec/admin/serve.html", context)
