"""``ImgrecAdminMixin``: one more base class for the shop's own ``ModelAdmin``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.options import IS_POPUP_VAR
from django.core.checks import CheckMessage, Error
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from imgrec.admin import map_pages, pages, words
from imgrec.admin.addresses import address
from imgrec.admin.buying_page import buying_url
from imgrec.admin.choosing import list_space, shown_space, spaces_for
from imgrec.admin.filters import ReasonFilter, SpaceFilter, StateFilter
from imgrec.admin.panel import panel_of
from imgrec.admin.states import state_html
from imgrec.admin.steps import steps_url
from imgrec.indexing import active_spaces
from imgrec.item_states import annotate_item_state
from imgrec.runs import queue
from imgrec.spaces import SpaceDefinition, spaces_fed_by, spaces_of
from imgrec.states import annotate_state
from imgrec.sweep import with_photo

if TYPE_CHECKING:
    Base = admin.ModelAdmin[Any]
else:
    Base = object

ACTION = "reindex_selected"


class ImgrecAdminMixin(Base):
    """Put before ``ModelAdmin``: ``class ProductAdmin(ImgrecAdminMixin, admin.ModelAdmin)``.

    For the model that owns the photos, or for the products that photos belong to; these show
    the state of the photo that most needs attention. What the class declares itself
    (``list_display``, ``list_filter``, ``actions``, templates, urls, ``Media``) stays, this is
    added. Put ``"imgrec_state"`` into ``list_display`` to choose the column's place.
    """

    def check(self, **kwargs: Any) -> list[CheckMessage]:
        """E020: there must be something to show."""
        if spaces_for(self.model):
            return super().check(**kwargs)
        text = f"ImgrecAdminMixin is used, but {self.opts.label} has no ImageEmbeddingField."
        hint = "Declare one on the model (or on the model of its photos), or drop the mixin."
        return [*super().check(**kwargs), Error(text, hint=hint, obj=self, id="imgrec.E020")]

    def has_reindex_permission(self, request: HttpRequest) -> bool:
        """Who may reindex and retry: whoever may change. Override to grant less or more."""
        return self.has_change_permission(request)

    # --- the change list

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Annotate the rows with their state in the space that is shown."""
        rows = super().get_queryset(request)
        space = list_space(request, self.model)
        if space is None:
            return rows
        owned = space in spaces_fed_by(self.model)
        return annotate_state(rows, space) if owned else annotate_item_state(rows, space)

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        """Add the state's column."""
        columns = list(super().get_list_display(request))
        return columns if "imgrec_state" in columns else [*columns, "imgrec_state"]

    def get_list_filter(self, request: HttpRequest) -> list[Any]:
        """Add the filters."""
        return [*super().get_list_filter(request), StateFilter, ReasonFilter, SpaceFilter]

    @admin.display(description=_("photo state"), ordering="imgrec_state")
    def imgrec_state(self, row: Any) -> str:
        """Show the state as text beside a coloured dot."""
        return state_html(row)

    def get_actions(self, request: HttpRequest, action_location: Any = None) -> Any:
        """Add "Reindex selected" for those who may (Django 6.1 asks for a location, too)."""
        asked = {} if action_location is None else {"action_location": action_location}
        actions = super().get_actions(request, **asked)
        off = self.actions is None or IS_POPUP_VAR in request.GET
        if off or not self.has_reindex_permission(request):
            return actions
        own = self.get_action(ACTION, **asked)
        return {**actions, ACTION: own} if own else actions

    @admin.action(
        description=_("Reindex selected %(verbose_name_plural)s"), permissions=["reindex"]
    )
    def reindex_selected(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Queue the photos of the selected rows, and say how many."""
        active = [space for space in spaces_for(self.model) if space in active_spaces()]
        if not active:
            text = gettext("Nothing was queued: this model's spaces are switched off.")
            self.message_user(request, text, messages.WARNING)
        for space in active:
            made = queue(space, self._photos(space, queryset))
            name = f"{space.label}: " if len(active) > 1 else ""
            self.message_user(request, f"{name}{words.queued(made)}", messages.SUCCESS)

    def _photos(self, space: SpaceDefinition, selected: QuerySet[Any]) -> QuerySet[Any]:
        owned = space in spaces_fed_by(self.model)
        lookup = "pk__in" if owned else f"{space.item}__in"
        return with_photo(space).filter(**{lookup: selected.order_by().values("pk")})

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Add the buttons, round whichever template the shop uses."""
        response = super().changelist_view(request, extra_context)
        space = list_space(request, self.model)
        if space and IS_POPUP_VAR not in request.GET:
            context = {
                "imgrec_overview_url": address(self, "overview", space),
                "imgrec_progress_url": address(self, "progress", space),
                "imgrec_failed_url": address(self, "failed", space),
                "imgrec_map_url": address(self, "map", space),
            }
            if space.recommend and spaces_of(self.model):
                context["imgrec_buying_url"] = buying_url(self)
            if self.has_reindex_permission(request):
                context["imgrec_reindex_url"] = address(self, "reindex", space)
            wrap(response, "imgrec/admin/change_list.html", context)
        return response

    # --- the change page

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,  # noqa: FBT001 - Django's signature
        change: bool = False,  # noqa: FBT001 - Django's signature
        form_url: str = "",
        obj: Any = None,
    ) -> HttpResponse:
        """Add the panel "Similar products", round whichever template the shop uses."""
        response = super().render_change_form(request, context, add, change, form_url, obj)
        space = shown_space(request, self.model)
        if obj is not None and space and issubclass(self.model, space.item_model):
            panel = panel_of(obj, space, self)
            more = {
                "imgrec_panel": panel,
                "imgrec_state": state_html(obj),
                "imgrec_steps_url": steps_url(self, obj.pk),
            }
            wrap(response, "imgrec/admin/change_form.html", more)
        return response

    # --- our pages

    def get_urls(self) -> list[Any]:
        """Add the pages for reindexing, its progress, photos that failed, and the map."""
        return [*pages.urls(self), *map_pages.urls(self), *super().get_urls()]

    @property
    def media(self) -> forms.Media:
        """Add our styles to the shop's."""
        return super().media + forms.Media(css={"all": ["imgrec/admin.css"]})


def wrap(response: HttpResponse, template: str, context: dict[str, Any]) -> None:
    """Render ``template`` instead, which extends the one the response was to be rendered with."""
    if not isinstance(response, TemplateResponse) or response.is_rendered:
        return
    # Resolved here: {% extends %} takes one template, not the names the admin tries in turn.
    inner = response.resolve_template(response.template_name)
    response.context_data = {**(response.context_data or {}), **context, "imgrec_inner": inner}
    response.template_name = template
