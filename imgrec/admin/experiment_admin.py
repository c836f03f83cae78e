"""Comparisons: said once what is to be found out, then left alone, then ended."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.http import HttpRequest
from django.urls import path
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from imgrec.admin.earning_words import ONLY_ALWAYS, arm_name
from imgrec.admin.keeping import keep
from imgrec.earning import report
from imgrec.earning.figures import sample_size
from imgrec.earning.marking import placement_of
from imgrec.earning.tables import Arm, Experiment
from imgrec.rules import Rule
from imgrec.served import served_space
from imgrec.space_rows import item_label
from imgrec.spaces import all_spaces, space_by_label

# What a click-through rate is taken for where nothing was counted yet.
USUAL_PERCENT = 2.0
LOOK_BACK_DAYS = 30


class ExperimentForm(forms.ModelForm):  # type: ignore[type-arg]
    """What a comparison needs to be told before it starts."""

    space_a = forms.ChoiceField(label=_("Space A"), choices=lambda: _spaces())
    space_b = forms.ChoiceField(label=_("Space B"), choices=lambda: _spaces())
    rules_a = forms.ChoiceField(label=_("Rule set A"), choices=lambda: _sets(), required=False)
    rules_b = forms.ChoiceField(label=_("Rule set B"), choices=lambda: _sets(), required=False)

    class Meta:
        model = Experiment
        fields = [
            "name",
            "placement",
            "space_a",
            "rules_a",
            "space_b",
            "rules_b",
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
        self._refuse_what_is_not_comparable(said)
        self._refuse_a_second(said["placement"])
        rate, effect = said["expected_percent"] / 100, said["effect_percent"] / 100
        with suppress(ValueError):  # what cannot be reckoned with, the fields' own limits refuse
            self.instance.needed = sample_size(rate, effect)
        return said

    def _refuse_what_is_not_comparable(self, said: dict[str, Any]) -> None:
        a, b = space_by_label(said["space_a"]), space_by_label(said["space_b"])
        if a is None or b is None or a.item_model is not b.item_model:
            text = gettext("Choose two spaces of the same products.")
            raise ValidationError({"space_b": text})
        self.instance.item_model = item_label(a)
        if (a is b) is (said["rules_a"] == said["rules_b"]):
            text = gettext("Let one thing differ: either the spaces or the rule sets.")
            raise ValidationError({"rules_b": text})
        if a is b and served_space(a.item_model) is not a:
            text = gettext("Rule sets are compared in the space that is served.")
            raise ValidationError({"space_a": text})
        there = Rule.objects.not_ended().filter(item_model=item_label(a)).sets()
        for name in ("rules_a", "rules_b"):
            if said[name] and said[name] not in there:
                text = gettext("No rule of these products is in this set.")
                raise ValidationError({name: text})

    def _refuse_a_second(self, placement: str) -> None:
        running = Experiment.objects.filter(ended_at=None, item_model=self.instance.item_model)
        if running.filter(placement=placement).exists():
            text = gettext("Another comparison runs there. End it first.")
            raise ValidationError({"placement": text})


def _spaces() -> list[tuple[str, str]]:
    """Return all spaces, the served ones first."""
    served = {served_space(each.item_model).label for each in all_spaces()}
    labels = [each.label for each in all_spaces()]
    return [(each, each) for each in sorted(labels, key=lambda label: label not in served)]


def _sets() -> list[tuple[str, str]]:
    return [("", str(ONLY_ALWAYS)), *((name, name) for name in Rule.objects.not_ended().sets())]


@admin.register(Experiment)
class ExperimentAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Nothing but the name changes once it runs: else the verdict would be of something else."""

    form = ExperimentForm
    list_display = ["name", "placement", "a", "b", "started_at", "ended_at"]
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

    def get_urls(self) -> list[Any]:
        """Add the address at which a better rule set is kept."""
        view = self.admin_site.admin_view(partial(keep, admin=self))
        return [path("<int:pk>/keep/", view, name="imgrec_experiment_keep"), *super().get_urls()]

    @admin.display(description="A", ordering="space_a")
    def a(self, row: Experiment) -> str:
        """Say what it shows."""
        return arm_name(row, Arm.A)

    @admin.display(description="B", ordering="space_b")
    def b(self, row: Experiment) -> str:
        """Say what it shows."""
        return arm_name(row, Arm.B)

    @admin.action(description=_("End selected comparisons"), permissions=["change"])
    def end(self, request: HttpRequest, queryset: QuerySet[Experiment]) -> None:
        """Show everybody the same again; what was counted stays."""
        ended = queryset.filter(ended_at=None).update(ended_at=Now())
        text = ngettext("%(n)d comparison ended.", "%(n)d comparisons ended.", ended)
        self.message_user(request, text % {"n": ended}, messages.SUCCESS)


def _lately() -> float:
    counted = (counts for _day, counts in report.by_day(LOOK_BACK_DAYS))
    rate = sum(counted, report.Counts()).share.rate
    return min(max(round(100 * rate, 2), 0.01), 50.0) if rate else USUAL_PERCENT
