"""Filters of the shop's change list: by state, by reason of failure, and which space they show."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib.admin import ModelAdmin, SimpleListFilter
from django.contrib.admin.views.main import ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from imgrec.admin.choosing import LIST_PARAMETER, list_space, shown_space, spaces_for
from imgrec.models import EmbeddingJob
from imgrec.reasons import Reason
from imgrec.states import PhotoState

Choices = list[tuple[str, Any]]


class StateFilter(SimpleListFilter):
    """By the photo's state."""

    title = gettext_lazy("photo state")
    parameter_name = "imgrec_state"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[Any]) -> Choices:
        """Offer every state."""
        return list(PhotoState.choices)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Leave the rows in that state."""
        value = self.value()
        return queryset.filter(imgrec_state=value) if value else queryset


class ReasonFilter(SimpleListFilter):
    """By the reason of failure; not there while nothing failed."""

    title = gettext_lazy("reason of failure")
    parameter_name = "imgrec_reason"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[Any]) -> Choices:
        """Offer the reasons there are."""
        space = list_space(request, model_admin.model)
        if space is None:
            return []
        failed = EmbeddingJob.objects.using(space.using).filter(
            space=space.label, state=EmbeddingJob.State.FAILED
        )
        found = {*failed.values_list("reason", flat=True).distinct(), self.value()}
        return [(reason.value, reason.label) for reason in Reason if reason.value in found]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Leave the rows that failed for it."""
        value = self.value()
        if not value:
            return queryset
        return queryset.filter(imgrec_state=PhotoState.FAILED, imgrec_state_reason=value)


class SpaceFilter(SimpleListFilter):
    """Whose states are shown; not there while the model has one space."""

    title = pgettext_lazy("imgrec", "space")
    parameter_name = LIST_PARAMETER

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[Any]) -> Choices:
        """Offer the model's spaces, the served one marked."""
        spaces = spaces_for(model_admin.model)
        self.default = shown_space(request, model_admin.model)
        names = [space.label.rpartition(".")[2] for space in spaces]
        served = [space is self.default for space in spaces]
        titles = [
            _("%(space)s (served)") % {"space": name} if is_served else name
            for name, is_served in zip(names, served, strict=True)
        ]
        pairs = zip((space.label for space in spaces), titles, strict=True)
        return list(pairs) if len(spaces) > 1 else []

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        """List the spaces without an "All": the states are those of one space."""
        asked = self.value() or (self.default.label if self.default else "")
        for label, title in self.lookup_choices:
            yield {
                "selected": label == asked,
                "query_string": changelist.get_query_string({self.parameter_name: label}),
                "display": title,
            }

    def get_facet_counts(self, pk_attname: str, filtered_qs: QuerySet[Any]) -> dict[str, Any]:
        """Count nothing: every row is in every space."""
        return {}

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Leave all rows: the annotation already is that of the space chosen."""
        return queryset
