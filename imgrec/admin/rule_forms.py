"""A rule as it is typed or read from a file, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from imgrec.earning.tables import Experiment
from imgrec.paths import Path, category_of, column_of
from imgrec.rules import FIELDS, Rule
from imgrec.spaces import all_spaces


def item_models() -> dict[str, type[models.Model]]:
    """Return the models that rules may be about, by label."""
    return {space.item_model._meta.label_lower: space.item_model for space in all_spaces()}


class Known:
    """Which products there are; of many rules they are asked for at once."""

    def __init__(self) -> None:
        self._there: dict[str, dict[str, bool]] = {}

    def look_up(self, model: type[models.Model], texts: Iterable[str]) -> None:
        """Find out about products by their keys."""
        keys: dict[Any, str] = {}
        for text in texts:
            try:
                keys[key_path(model).value(text)] = text
            except ValueError:
                continue  # said to whom it may concern, row by row
        there = model._base_manager.filter(pk__in=list(keys)).values_list("pk", flat=True)
        known = self._there.setdefault(model._meta.label_lower, {})
        known.update(dict.fromkeys(keys.values(), False))
        known.update({keys[key]: True for key in there if key in keys})

    def has(self, model: type[models.Model], text: str) -> bool:
        """Return whether there is such a product."""
        known = self._there.setdefault(model._meta.label_lower, {})
        if text not in known:
            self.look_up(model, [text])
        return known.get(text, False)

    @cached_property
    def compared(self) -> set[tuple[str, str]]:
        """The rule sets that are being compared, each with its model."""
        running = Experiment.objects.filter(ended_at=None)
        rows = running.values_list("item_model", "rules_a", "rules_b")
        return {(model, name) for model, *names in rows for name in names if name}


def key_path(model: type[models.Model]) -> Path:
    """Return where a model has its key."""
    name = model._meta.pk.name
    return Path(name, column_of(model, name))


def name_halves(field: Any) -> None:
    """Say of what a day and an hour are: the admin's widget has two inputs without a label."""
    words = _("Date:"), _("Time:")  # as the admin writes before them
    for half, word in zip(getattr(field.widget, "widgets", ()), words, strict=False):
        half.attrs["aria-label"] = f"{field.label}, {word.rstrip(':')}"


class RuleForm(forms.ModelForm):  # type: ignore[type-arg]
    """One rule, checked as a whole."""

    item_model = forms.ChoiceField(label=pgettext_lazy("imgrec", "Model"))

    class Meta:
        model = Rule
        fields = FIELDS
        help_texts = {
            "position": gettext_lazy("Of a pin: 1 is the first place. Empty: as far up as may be."),
            "factor": gettext_lazy("Of a boost: 1.2 lifts, 0.8 lowers."),
            "rule_set": gettext_lazy(
                "Empty: it holds for everybody. A name: only where a comparison shows this set."
            ),
        }

    def __init__(self, *args: Any, known: Known | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.known = known or Known()
        choices = [(label, each._meta.label) for label, each in item_models().items()]
        field: Any = self.fields["item_model"]
        field.choices = choices if len(choices) == 1 else [("", "---------"), *choices]
        for name in ("starts_at", "ends_at"):
            name_halves(self.fields[name])

    def clean(self) -> dict[str, Any]:
        """Check what goes together, and keep values as rules are looked up by."""
        super().clean()
        data = self.cleaned_data
        model = item_models().get(data.get("item_model", ""))
        if model is not None:
            self._clean_value(model, "target")
            self._clean_value(model, "beside")
        self._clean_numbers(data)
        self._clean_set(data)
        if data.get("starts_at") and data.get("ends_at") and data["starts_at"] >= data["ends_at"]:
            self.add_error("ends_at", _("The end must be after the beginning."))
        same = data.get("target_value") == data.get("beside_value")
        if data.get("target") == data.get("beside") == "product" and same:
            self.add_error("target_value", _("A product never comes beside itself."))
        return data

    def _clean_value(self, model: type[models.Model], name: str) -> None:
        kind = self.cleaned_data.get(name)
        text = str(self.cleaned_data.get(f"{name}_value") or "").strip()
        field = f"{name}_value"
        if not kind or field in self.errors:
            return
        try:
            self.cleaned_data[field] = self._value(model, kind, text)
        except (ValueError, ValidationError) as error:
            self.add_error(field, str(error.args[0]))

    def _value(self, model: type[models.Model], kind: str, text: str) -> str:
        if kind == "all":
            if text:
                raise ValueError(_("Leave this empty: the rule is about every product."))
            return ""
        if not text:
            raise ValueError(_("Say which."))
        if kind == "product":
            if not self.known.has(model, text):
                raise ValueError(_("There is no product with the key %(key)s.") % {"key": text})
            return str(key_path(model).value(text))
        category = category_of(model)
        if category is None:
            hint = f'IMGREC = {{"category": {{"{model._meta.label}": "category"}}}}'
            raise ValueError(_("The settings name no category: %(hint)s") % {"hint": hint})
        return category.text(category.value(text))

    def _clean_set(self, data: dict[str, Any]) -> None:
        """Let nobody change what is being compared: the verdict would be of something else."""
        before = (self.instance.item_model, self.instance.rule_set)
        after = (data.get("item_model", ""), data.get("rule_set", ""))
        if {*self.changed_data} - {"note"} and {before, after} & self.known.compared:
            text = _(
                "This set is being compared: end that first. Rules of no set hold in both arms."
            )
            self.add_error("rule_set", text)

    def _clean_numbers(self, data: dict[str, Any]) -> None:
        action = data.get("action")
        if action != Rule.Action.PIN and data.get("position") is not None:
            self.add_error("position", _("Only pins have a position."))
        if action != Rule.Action.BOOST and data.get("factor") is not None:
            self.add_error("factor", _("Only boosts have a factor."))
        if action == Rule.Action.BOOST and "factor" not in self.errors:
            if data.get("factor") is None:
                self.add_error("factor", _("Say by what: 1.2 lifts, 0.8 lowers."))
            elif data["factor"] == 1:
                self.add_error("factor", _("A factor of 1 changes nothing."))
