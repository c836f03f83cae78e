"""The jobs, to look at: what waits, what failed and why."""

from __future__ import annotations

from itertools import groupby

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from imgrec import jobs, runs
from imgrec.admin import words
from imgrec.admin.read_only import ReadOnlyAdmin
from imgrec.models import EmbeddingJob
from imgrec.spaces import space_by_label


@admin.register(EmbeddingJob)
class EmbeddingJobAdmin(ReadOnlyAdmin):
    """Read-only: jobs are written by saving photos, and end by being done."""

    list_display = ["id", "space", "object_pk", "state", "reason", "attempts", "due_at"]
    list_filter = ["state", "space", "reason"]
    search_fields = ["object_pk", "source_name"]
    search_help_text = gettext_lazy("Key of the row that owns the photo, or the file's name")
    ordering = ["-id"]
    actions = ["retry"]
    show_full_result_count = False

    def has_retry_permission(self, request: HttpRequest) -> bool:
        """Who may retry: whoever was given the permission to change jobs."""
        return self.may_act(request)

    @admin.action(description=gettext_lazy("Retry those that failed"), permissions=["retry"])
    def retry(self, request: HttpRequest, queryset: QuerySet[EmbeddingJob]) -> None:
        """Queue the failed ones among the selected jobs again."""
        failed = queryset.filter(state=EmbeddingJob.State.FAILED).order_by("space")
        made = 0
        rows = failed.values_list("space", "object_pk")
        for label, group in groupby(rows, key=lambda row: row[0]):
            space = space_by_label(label)
            if space:
                made += jobs.retry_failed(space, [object_pk for _label, object_pk in group])
                runs.poke_once_committed(space)
        if made:
            self.message_user(request, words.queued(made), messages.SUCCESS)
        else:
            self.message_user(request, _("None of the selected jobs failed."), messages.WARNING)
