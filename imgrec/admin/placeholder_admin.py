"""The placeholder pictures: how many photos each stands for, and whether it is used after all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from imgrec import placeholders, runs
from imgrec.admin import words
from imgrec.admin.read_only import ReadOnlyAdmin
from imgrec.models import EmbeddingJob, Placeholder
from imgrec.spaces import SpaceDefinition, space_by_label


@admin.register(Placeholder)
class PlaceholderAdmin(ReadOnlyAdmin):
    """Read-only: workers find them, people decide about them."""

    list_display = ["source_name", "space", "photos", "is_allowed"]
    list_filter = ["space", "is_allowed"]
    ordering = ["space", "-items", "sha256"]
    actions = ["use", "leave_out"]

    def has_decide_permission(self, request: HttpRequest) -> bool:
        """Who may decide: whoever was given the permission to change placeholders."""
        return self.may_act(request)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Placeholder]:
        """Count the photos of all rows in the one statement that reads them."""
        ours = EmbeddingJob.objects.filter(
            space=OuterRef("space"), sha256=OuterRef("sha256"), state=EmbeddingJob.State.EXCLUDED
        )
        counted = ours.order_by().values("sha256").values_list(Count("pk"))
        rows: Any = super().get_queryset(request)
        found: QuerySet[Placeholder] = rows.annotate(excluded=Coalesce(Subquery(counted), 0))
        return found

    @admin.display(description=_("excluded photos"))
    def photos(self, row: Any) -> int:
        """Return how many photos are left out for it."""
        return int(row.excluded)

    @admin.action(description=_("Use like any other photo"), permissions=["decide"])
    def use(self, request: HttpRequest, queryset: QuerySet[Placeholder]) -> None:
        """Have the photos of the selected ones embedded."""
        self._decide(request, queryset, placeholders.allow)

    @admin.action(description=_("Leave out"), permissions=["decide"])
    def leave_out(self, request: HttpRequest, queryset: QuerySet[Placeholder]) -> None:
        """Have the photos of the selected ones excluded again."""
        self._decide(request, queryset, placeholders.forbid)

    def _decide(
        self,
        request: HttpRequest,
        queryset: QuerySet[Placeholder],
        decide: Callable[[SpaceDefinition, Placeholder], int],
    ) -> None:
        made = 0
        for row in queryset:
            space = space_by_label(row.space)
            if space:
                made += decide(space, row)
                runs.poke_once_committed(space)
        self.message_user(request, words.queued(made), messages.SUCCESS)
