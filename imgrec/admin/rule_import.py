"""What importing a file of rules would do, row by row, and doing it: all of it or nothing."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from django.contrib.admin.models import ADDITION, CHANGE, LogEntry
from django.db import transaction
from django.utils.translation import gettext as _

from imgrec import rule_files, steering
from imgrec.admin.rule_forms import Known, RuleForm, item_models
from imgrec.rules import FIELDS, Rule

# What tells one rule from another.
SAME = [name for name in FIELDS if name != "note"]


@dataclass
class Row:
    """One line of the file and what would be done: "add", "change", "keep" or "refuse"."""

    line: int
    values: dict[str, str]
    does: str
    problems: list[str] = field(default_factory=list)
    form: RuleForm | None = None


@dataclass
class Plan:
    """What a file would do."""

    rows: list[Row]

    @property
    def refused(self) -> list[Row]:
        """The rows that keep the file from being imported."""
        return [row for row in self.rows if row.does == "refuse"]

    @property
    def counts(self) -> Counter[str]:
        """How many rows do what."""
        return Counter(row.does for row in self.rows)


def plan_of(data: bytes, *, may_add: bool, may_change: bool) -> Plan:
    """Return what importing a file would do. Raises ``FileRefused``."""
    lines = rule_files.read(data)
    known = _known(lines)
    there = {str(rule.pk): rule for rule in _named_rules(lines)}
    seen = {_told(rule) for rule in Rule.objects.not_ended()}
    rows = [_row(line, values, there, known, seen) for line, values in lines]
    _refuse(rows, "add", _("You may not add rules."), may=may_add)
    _refuse(rows, "change", _("You may not change rules."), may=may_change)
    return Plan(rows)


def carry_out(plan: Plan, user: Any) -> int:
    """Save what is new or changed, in one transaction; return how many rules that are."""
    added, changed = _rules(plan, "add"), _rules(plan, "change")
    for rule in added:
        rule.created_by = user.get_username()
    log: Any = LogEntry.objects
    with transaction.atomic(using=Rule.objects.db):
        Rule.objects.bulk_create(added)
        for rule in changed:
            rule.save()
        for rules, flag in ((added, ADDITION), (changed, CHANGE)):
            if rules:
                log.log_actions(user.pk, rules, flag, change_message=_("Imported."))
    steering.forget()
    return len(added) + len(changed)


def _rules(plan: Plan, does: str) -> list[Rule]:
    return [row.form.save(commit=False) for row in plan.rows if row.form and row.does == does]


def _row(
    line: int,
    values: dict[str, str],
    there: dict[str, Rule],
    known: Known,
    seen: set[tuple[Any, ...]],
) -> Row:
    key = values.get("id", "")
    rule = there.get(key)
    if key and rule is None:
        return Row(line, values, "refuse", [_("There is no rule %(id)s.") % {"id": key}])
    form = RuleForm(_complete(values, rule), instance=rule, known=known)
    if not form.is_valid():
        return Row(line, values, "refuse", _problems(form))
    if rule is not None:
        return Row(line, values, "change" if form.has_changed() else "keep", form=form)
    told = _told(form.instance)
    does = "keep" if told in seen else "add"
    seen.add(told)
    return Row(line, values, does, form=form)


def _complete(values: dict[str, str], rule: Rule | None) -> dict[str, Any]:
    """Return what a form takes; columns that the file leaves out stay as they are."""
    models = [*item_models()]
    usual = {"item_model": models[0] if len(models) == 1 else "", "target": "product"}
    if rule is not None:
        usual = {name: getattr(rule, name) for name in FIELDS}
    return {name: values[name] if name in values else usual.get(name, "") for name in FIELDS}


def _problems(form: RuleForm) -> list[str]:
    return [
        f"{name}: {text}" if name != "__all__" else str(text)
        for name, texts in form.errors.items()
        for text in texts
    ]


def _told(rule: Rule) -> tuple[Any, ...]:
    return tuple(getattr(rule, name) for name in SAME)


def _named_rules(lines: list[tuple[int, dict[str, str]]]) -> Any:
    keys = [values["id"] for _line, values in lines if values.get("id", "").isdecimal()]
    return Rule.objects.filter(pk__in=[int(key) for key in keys if len(key) < 19])


def _known(lines: list[tuple[int, dict[str, str]]]) -> Known:
    """Look up all products that a file names, of each model at once."""
    known, models = Known(), item_models()
    for label, model in models.items():
        texts = {
            values.get(f"{name}_value", "")
            for _line, values in lines
            for name in ("target", "beside")
            if values.get("item_model", label) == label or len(models) == 1
        }
        known.look_up(model, texts - {""})
    return known


def _refuse(rows: list[Row], does: str, problem: str, *, may: bool) -> None:
    for row in rows if not may else ():
        if row.does == does:
            row.does, row.problems = "refuse", [problem]
