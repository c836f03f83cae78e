"""The page "Does it earn?": what was counted, and how comparisons stand."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _

from imgrec.admin import earning_chart as chart
from imgrec.admin import earning_words as words
from imgrec.admin.keeping import keep_url, may_keep
from imgrec.admin.read_only import ReadOnlyAdmin
from imgrec.conf import settings
from imgrec.earning import report, winners
from imgrec.earning.report import Counts, Line
from imgrec.earning.tables import Arm, Experiment, ListCount
from imgrec.earning.verdicts import Verdict, verdict
from imgrec.rules import Rule

PERIODS = (7, 30, 90)
USUAL = 30
MOST_EXPERIMENTS = 20


@admin.register(ListCount)
class ListCountAdmin(ReadOnlyAdmin):
    """One page, in the place of the list of rows: sums are read, not edited."""

    class Media:
        css = {"all": ["imgrec/admin.css"]}

    def get_urls(self) -> list[Any]:
        """Have the one page only."""
        return [each for each in super().get_urls() if each.name == "imgrec_listcount_changelist"]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the page."""
        self._refuse_strangers(request)
        days = _period(request)
        request.current_app = self.admin_site.name
        context = {
            **self.admin_site.each_context(request),
            **(extra_context or {}),
            **_figures(days),
            "title": _("Does it earn?"),
            "opts": self.opts,
            "media": self.media,
            "is_on": settings.count_clicks,
            "periods": [{"days": each, "is_current": each == days} for each in PERIODS],
            "experiments": self._experiments(request),
            "compare_url": self._compare_url(request),
        }
        return TemplateResponse(request, "imgrec/admin/earning.html", context)

    def _refuse_strangers(self, request: HttpRequest) -> None:
        if not self.has_view_permission(request):
            raise PermissionDenied

    def _experiments(self, request: HttpRequest) -> list[dict[str, Any]]:
        """Tell of the latest comparisons, with a button where a better rule set can be kept."""
        told = [_told(each) for each in _latest()]
        if may_keep(request):
            there = set(Rule.objects.values_list("item_model", "rule_set").distinct())
            for each in told:
                experiment = each["experiment"]
                if each["better"] and (experiment.item_model, each["better"]) in there:
                    each["keep_url"] = keep_url(experiment, self.admin_site.name)
        return told

    def _compare_url(self, request: HttpRequest) -> str:
        user: Any = request.user
        if not user.has_perm("imgrec.add_experiment"):
            return ""
        try:
            return reverse("admin:imgrec_experiment_add", current_app=self.admin_site.name)
        except NoReverseMatch:  # the shop has unregistered it
            return ""


def _period(request: HttpRequest) -> int:
    asked = request.GET.get("days", "")
    return int(asked) if asked in map(str, PERIODS) else USUAL


def _figures(days: int) -> dict[str, Any]:
    by_day = report.by_day(days)
    found = report.lines(days)
    names = dict(Experiment.objects.values_list("pk", "name"))
    return {
        "days": days,
        "lines": [_row(each, names) for each in found],
        "total": _cells(sum((each.counts for each in found), Counts())),
        "charts": [
            chart.seen_chart(_("Lists seen a day"), by_day),
            chart.rate_chart(_("Click-through rate a day"), by_day),
        ],
        "numbers": chart.numbers(by_day),
    }


def _row(line: Line, names: dict[int, str]) -> dict[str, Any]:
    name = names.get(line.experiment, _("a comparison that was deleted"))
    arm = f"{name}: {line.arm.upper()}" if line.arm else ""
    return {"placement": line.placement, "space": line.space, "arm": arm, **_cells(line.counts)}


def _cells(counts: Counts) -> dict[str, Any]:
    return {
        "shown": words.grouped(counts.shown),
        "seen": words.grouped(counts.seen),
        "clicked": words.grouped(counts.clicked),
        "rate": words.rate(counts.share),
        "interval": words.interval(counts.share),
    }


def _latest() -> list[Experiment]:
    """Return those that run, then those that ended last."""
    rows = list(Experiment.objects.order_by("-pk")[:MOST_EXPERIMENTS])
    return sorted(rows, key=lambda each: each.ended_at is not None)


def _told(experiment: Experiment) -> dict[str, Any]:
    found: Verdict = verdict(experiment)
    sides = ((Arm.A, found.arms.a), (Arm.B, found.arms.b))
    return {
        "experiment": experiment,
        "arms": [
            {"arm": arm.label, "shows": words.arm_name(experiment, arm), **_cells(counts)}
            for arm, counts in sides
        ],
        "better": winners.winning_set(experiment, found.ruling),
        "better_without": winners.losing_set(experiment, found.ruling),
        "progress": words.progress(found),
        "seen": min(found.arms.seen, found.needed),
        "needed": found.needed,
        "ruling": words.ruling(found, experiment),
        "is_decided": found.day is not None,
        "day": found.day,
    }
