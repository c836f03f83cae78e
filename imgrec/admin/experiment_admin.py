"""Comparisons of two spaces: said once what is to be found out, then left alone, then ended."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.http import HttpRequest
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from imgrec.earning import report
from imgrec.earning.figures import sample_size
from imgrec.earning.marking import placement_of
from imgrec.earning.tables import Experiment
from imgrec.space_rows import item_label
from imgrec.spaces import all_spaces, space_by_label

# What a click-through rate is taken for where nothing was counted yet.
USUAL_PERCENT = 2.0
LOOK_BACK_DAYS = 30


class ExperimentForm(forms.ModelForm):  # type: ignore[type-arg]
    """What a comparison needs to be told before it starts."""

    space_a = forms.ChoiceField(label=_("Space A"), choices=lambda: _spaces())
    space_b = forms.ChoiceField(label=_("Space B"), choices=lambda: _spaces())

    class Meta:
        model = Experiment
        fields = [
            "name",
            "placement",
            "space_a",
            "space_b",
            "share_of_b",
            "expected_percent",
            "effect_percent",
        ]
        help_texts = {
            "placement": _("As in the tag's placement=. Empty: wherever lists are shown."),
            "share_of_b": _("50 is decided soonest."),
            "expected_percent": _("Of A, among lists seen. At first: what was counted lately."),
            "effect_percent": _("Of that rate. Half of it takes four times the views."),
        }

    def clean_placement(self) -> str:
        """Return it as it is counted."""
        return placement_of(self.cleaned_data.get("placement"))

    def clean(self) -> dict[str, Any]:
        """Refuse what cannot be compared; reckon how many views it takes."""
        said: dict[str, Any] = super().clean() or {}
        if self.errors:
            return said
        a, b = space_by_label(said["space_a"]), space_by_label(said["space_b"])
        if a is None or b is None or a is b or a.item_model is not b.item_model:
            text = gettext("Choose two different spaces of the same products.")
            raise ValidationError({"space_b": text})
        self.instance.item_model = item_label(a)
        self._refuse_a_second(said["placement"])
        rate, effect = said["expected_percent"] / 100, said["effect_percent"] / 100
        with suppress(ValueError):  # what cannot be reckoned with, the fields' own limits refuse
            self.instance.needed = sample_size(rate, effect)
        return said

    def _refuse_a_second(self, placement: str) -> None:
        running = Experiment.objects.filter(ended_at=None, item_model=self.instance.item_model)
        if running.filter(placement=placement).exists():
            text = gettext("Another comparison runs there. End it first.")
            raise ValidationError({"placement": text})


def _spaces() -> list[tuple[str, str]]:
    return [(each.label, each.label) for each in all_spaces()]


@admin.register(Experiment)
class ExperimentAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Nothing but the name changes once it runs: else the verdict would be of something else."""

    form = ExperimentForm
    list_display = ["name", "placement", "space_a", "space_b", "started_at", "ended_at"]
    ordering = ["-pk"]
    actions = ["end"]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        """Show, once it runs, what followed from what was said."""
        said = list(ExperimentForm.Meta.fields)
        return [*said, "needed", "started_at", "ended_at"] if obj else said

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Let nobody edit what it is about."""
        return [each for each in self.get_fields(request, obj) if each != "name"] if obj else []

    def get_form(
        self,
        request: HttpRequest,
        obj: Any = None,
        change: bool = False,  # noqa: FBT001 - Django's signature
        **kwargs: Any,
    ) -> Any:
        """Ask for a name only, once it runs."""
        if obj:
            kwargs["form"] = forms.ModelForm
        return super().get_form(request, obj, change, **kwargs)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Suggest what was counted lately as the rate to expect."""
        return {"expected_percent": _lately(), **super().get_changeform_initial_data(request)}

    @admin.action(description=_("End selected comparisons"), permissions=["change"])
    def end(self, request: HttpRequest, queryset: QuerySet[Experiment]) -> None:
        """Show everybody the served space again; what was counted stays."""
        ended = queryset.filter(ended_at=None).update(ended_at=Now())
        text = ngettext("%(n)d comparison ended.", "%(n)d comparisons ended.", ended)
        self.message_user(request, text % {"n": ended}, messages.SUCCESS)


def _lately() -> float:
    counted = (counts for _day, counts in report.by_day(LOOK_BACK_DAYS))
    rate = sum(counted, report.Counts()).share.rate
    return min(max(round(100 * rate, 2), 0.01), 50.0) if rate else USUAL_PERCENT
