"""The spaces: what is served, what is ready, and switching between encoders."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import quote
from django.db.models import QuerySet, Value
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import path, reverse
from django.utils.translation import gettext_lazy as _

from imgrec.admin.addresses import address
from imgrec.admin.mixin import ImgrecAdminMixin
from imgrec.admin.states import counted_html
from imgrec.admin.switching import serve
from imgrec.models import Space
from imgrec.spaces import SpaceDefinition, space_by_label
from imgrec.states import count_states

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
            names = ("overview", "progress", "failed", "map")
            found = {page: address(shop, page, space) for page in names}
        if space and not row.is_served and getattr(row, "may_serve", False):
            found["serve"] = self._serve_url(row)
        return render_to_string("imgrec/admin/space_links.html", found)

    def _serve_url(self, row: Space) -> str:
        name = self.admin_site.name
        return reverse("admin:imgrec_space_serve", args=[quote(row.pk)], current_app=name)

    def get_urls(self) -> list[Any]:
        """Add the page that compares before another space is served."""
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
