"""Which of a merchant's rules hold beside a product, read anew for each list.

A shop without rules must not pay for them: whether there are any at all is remembered for
``REMEMBERED_FOR`` seconds. So a shop's first rule may take that long to be heeded by other
processes; of all later ones, and of each change, the next page knows. The same goes for the rules
of a named set, which hold only where that set is asked for.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from time import monotonic
from typing import Any

from django.db import models
from django.db.models import Q, QuerySet, Subquery, TextField, Value
from django.db.models.functions import Cast

from imgrec.paths import Path, category_of
from imgrec.remembered import instances
from imgrec.rules import Rule, RuleQuerySet
from imgrec.spaces import SpaceDefinition
from imgrec.visibility import item_path

logger = logging.getLogger(__name__)

REMEMBERED_FOR = 5.0  # seconds


@dataclass(frozen=True)
class Decided:
    """A rule and what it is done to, as the shop's own value."""

    rule: Rule
    value: Any

    @property
    def position(self) -> int:
        """Where a pin wants to be, 1 unless the rule says."""
        return self.rule.position or 1

    @property
    def factor(self) -> float:
        """What a boost multiplies by."""
        return 1.0 if self.rule.factor is None else self.rule.factor


@dataclass(frozen=True)
class Steering:
    """The rules that hold beside some products; ``key_path``: look-up of an item's key."""

    pins: tuple[Decided, ...]
    blocks: tuple[Decided, ...]
    boosts: tuple[Decided, ...]
    key_path: str
    category: Path | None

    @property
    def reorders(self) -> bool:
        """Whether the most similar products are no longer the answer."""
        return bool(self.pins or self.boosts)

    @property
    def asks_category(self) -> bool:
        """Whether the place of a product depends on its category."""
        return any(each.rule.is_of_category for each in self.boosts)

    @property
    def most_factor(self) -> float:
        """The most that any product's similarity may count, at least as much as it is."""
        found = 1.0
        for of_category in (True, False):
            by_value: dict[Any, float] = {}
            for each in self.boosts:
                if each.rule.is_of_category is of_category:
                    by_value[each.value] = by_value.get(each.value, 1.0) * each.factor
            found *= max([1.0, *by_value.values()])
        return found

    def factor(self, key: Any, category: Any) -> float:
        """Return what a product's similarity is multiplied by: by each of its boosts."""
        return math.prod(each.factor for each in self.boosts_of(key, category))

    def boosts_of(self, key: Any, category: Any) -> list[Decided]:
        """Return the boosts of a product."""
        of_category = self._boosts.get((True, category), []) if self.category else []
        return [*self._boosts.get((False, key), []), *of_category]

    @cached_property
    def _boosts(self) -> dict[tuple[bool, Any], list[Decided]]:
        """The boosts by whether they are of a category, and by its value or the key."""
        found: dict[tuple[bool, Any], list[Decided]] = {}
        for each in self.boosts:
            found.setdefault((each.rule.is_of_category, each.value), []).append(each)
        return found

    def without_blocked(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """Leave out what is blocked."""
        return rows.exclude(self.matching(self.blocks)) if self.blocks else rows

    def raised(self) -> Q | None:
        """Return the condition of products whose similarity may count more than it is."""
        found = [each for each in self.boosts if each.factor > 1]
        return self.matching(found) if found else None

    def matching(self, decided: Iterable[Decided]) -> Q:
        """Return the condition of what some rules are about."""
        keys: list[Any] = []
        values: list[Any] = []
        for each in decided:
            (values if each.rule.is_of_category else keys).append(each.value)
        found = Q(**{f"{self.key_path}__in": keys}) if keys else Q()
        if values and self.category:
            found |= Q(**{f"{self.category.name}__in": values})
        return found


# By model and database: until when, and the names of the sets that rules are in.
_known: dict[tuple[str, str], tuple[float, frozenset[str]]] = {}


def steering_of(
    space: SpaceDefinition, seeds: Iterable[Any], using: str, *, rule_set: str = ""
) -> Steering | None:
    """Return the rules that hold beside products of these keys; None: none does.

    ``rule_set``: the named set whose rules hold, too. No statement where there are no rules, but
    for one every ``REMEMBERED_FOR`` seconds.
    """
    if not has_rules(space.item_model, using, rule_set=rule_set):
        return None
    return steering_by(space, rules_beside(space.item_model, seeds, using, rule_set=rule_set))


def unblocked(
    space: SpaceDefinition, rows: QuerySet[Any], seeds: Iterable[Any], using: str
) -> QuerySet[Any]:
    """Leave out what is blocked beside products of these keys; of none, beside every product."""
    steering = steering_of(space, seeds, using)
    return steering.without_blocked(rows) if steering else rows


def steering_by(space: SpaceDefinition, rules: Iterable[Rule]) -> Steering | None:
    """Return what some rules decide; None: nothing."""
    category = category_of(space.item_model)
    decided = [each for rule in rules if (each := _decided(space, rule, category))]
    if not decided:
        return None
    pins, blocks, boosts = (
        tuple(each for each in decided if each.rule.action == action)
        for action in (Rule.Action.PIN, Rule.Action.BLOCK, Rule.Action.BOOST)
    )
    return Steering(pins, blocks, boosts, item_path(space), category)


def no_rules(space: SpaceDefinition) -> Steering:
    """Return what holds where no rule does."""
    return Steering((), (), (), item_path(space), None)


def has_rules(model: type[models.Model], using: str, *, rule_set: str = "") -> bool:
    """Return whether any rule of a model holds, or will, for everybody or in a set."""
    name = (model._meta.label_lower, using)
    until, known = _known.get(name, (0.0, frozenset()))
    if until <= monotonic():
        rules = Rule.objects.using(using).filter(item_model=name[0]).not_ended()
        known = frozenset(rules.values_list("rule_set", flat=True).distinct())
        _known[name] = (monotonic() + REMEMBERED_FOR, known)
    return not known.isdisjoint({"", rule_set})


def forget(**kwargs: Any) -> None:
    """Look again whether there are rules."""
    _known.clear()


def rules_beside(
    model: type[models.Model], seeds: Iterable[Any], using: str, *, rule_set: str = ""
) -> list[Rule]:
    """Return the rules that hold now beside products of these keys, the oldest first."""
    texts = [str(key) for key in seeds]

    def rules() -> QuerySet[Rule, Rule]:
        return _rules(model, texts, using).in_set(rule_set)

    if len(texts) != 1:
        return list(rules())
    category = category_of(model)
    return instances(
        ("rules", model, category and category.name, using, rule_set), texts[0], using, rules
    )


def _rules(model: type[models.Model], texts: list[str], using: str) -> RuleQuerySet:
    """Return the rules of all sets as a queryset, in which keys are text wherever they come."""
    beside = Q(beside=Rule.Beside.ALL)
    category, key = category_of(model), model._meta.pk
    for text in texts:
        beside |= Q(beside=Rule.Beside.PRODUCT, beside_value=text)
        if category:
            item = model._base_manager.order_by().filter(pk=Cast(Value(text), _end(key)))
            value = item.annotate(imgrec_value=Cast(category.name, TextField()))
            # One row, by its key; for an exact value Django 6 wants it cut to one.
            is_its = Q(beside_value=Subquery(value.values("imgrec_value")[:1]))
            beside |= Q(beside=Rule.Beside.CATEGORY) & is_its
    rules = Rule.objects.using(using).active().filter(beside, item_model=model._meta.label_lower)
    return rules.order_by("id")


def _decided(space: SpaceDefinition, rule: Rule, category: Path | None) -> Decided | None:
    """Return a rule with the value that it is about; None for one that makes no sense any more."""
    key: Any = space.item_model._meta.pk
    try:
        if not rule.is_of_category:
            return Decided(rule, Path("pk", _end(key)).value(rule.target_value))
        if category is not None:
            return Decided(rule, category.value(rule.target_value))
    except ValueError as error:
        logger.warning("imgrec: the steering rule %s is passed over: %s", rule.pk, error)
    return None


def _end(key: Any) -> Any:
    """Return the column that a key is in: of a child, its parent's."""
    while key.is_relation:
        key = key.target_field
    return key
