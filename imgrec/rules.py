"""What a merchant decides about lists: pins, blocks and boosts, each a row, from a day to a day."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q, QuerySet
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

LEAST_FACTOR, MOST_FACTOR = 0.1, 10.0
MOST_POSITION = 64
SET_LENGTH = 64
# What a merchant says of a rule, in a form and in a file.
FIELDS = (
    "item_model",
    "action",
    "target",
    "target_value",
    "beside",
    "beside_value",
    "position",
    "factor",
    "rule_set",
    "starts_at",
    "ends_at",
    "note",
)


class RuleQuerySet(QuerySet["Rule"]):
    """Rules by whether they hold now."""

    def active(self) -> Self:
        """Leave those that hold at this moment, by the database's clock."""
        return self.filter(_begun() & ~_ended())

    def planned(self) -> Self:
        """Leave those whose time is to come."""
        return self.filter(~_begun() & ~_ended())

    def ended(self) -> Self:
        """Leave those whose time is over."""
        return self.filter(_ended())

    def not_ended(self) -> Self:
        """Leave those that hold now or will."""
        return self.filter(~_ended())

    def in_set(self, name: str) -> Self:
        """Leave those that hold for everybody, and with a name those of that set."""
        return self.filter(rule_set__in=["", name])

    def sets(self) -> list[str]:
        """Return the names of the sets that some of them are in."""
        named = self.exclude(rule_set="").order_by("rule_set")
        return list(named.values_list("rule_set", flat=True).distinct())


def _begun() -> Q:
    return Q(starts_at__isnull=True) | Q(starts_at__lte=Now())


def _ended() -> Q:
    # not the plain comparison: negated, it would be unknown of what has no end
    return Q(ends_at__isnull=False, ends_at__lte=Now())


class Rule(models.Model):
    """One decision: what is done, beside which products, to which."""

    class Action(models.TextChoices):
        PIN = "pin", pgettext_lazy("imgrec", "pin")
        BLOCK = "block", pgettext_lazy("imgrec", "block")
        BOOST = "boost", pgettext_lazy("imgrec", "boost")

    class Beside(models.TextChoices):
        PRODUCT = "product", _("one product")
        CATEGORY = "category", _("every product of a category")
        ALL = "all", _("every product")

    class Target(models.TextChoices):
        PRODUCT = "product", pgettext_lazy("what", "one product")
        CATEGORY = "category", _("a category")

    id = models.BigAutoField(primary_key=True)
    item_model = models.CharField(pgettext_lazy("imgrec", "model"), max_length=200)
    action = models.CharField(
        pgettext_lazy("imgrec", "action"), max_length=8, choices=Action.choices
    )
    # Beside what: a key or a category's value, as text.
    beside = models.CharField(
        pgettext_lazy("imgrec", "beside"), max_length=8, choices=Beside.choices
    )
    beside_value = models.CharField(
        pgettext_lazy("imgrec", "beside which"), max_length=200, blank=True
    )
    # To what it is done, likewise.
    target = models.CharField(pgettext_lazy("imgrec", "what"), max_length=8, choices=Target.choices)
    target_value = models.CharField(pgettext_lazy("imgrec", "which"), max_length=200)
    # Of a pin: 1 is the first place. Of a category, its most similar product comes there.
    position = models.PositiveSmallIntegerField(
        pgettext_lazy("imgrec", "position"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(MOST_POSITION)],
    )
    # Of a boost: the similarity times this decides about the place, and about nothing else.
    factor = models.FloatField(
        pgettext_lazy("imgrec", "factor"),
        null=True,
        blank=True,
        validators=[MinValueValidator(LEAST_FACTOR), MaxValueValidator(MOST_FACTOR)],
    )
    # "": it holds for everybody; else in lists of an arm that shows this set, and in no others.
    # By the database, too: a process of an older version may add rules meanwhile.
    rule_set = models.CharField(
        pgettext_lazy("imgrec", "rule set"),
        max_length=SET_LENGTH,
        blank=True,
        default="",
        db_default="",
    )
    starts_at = models.DateTimeField(pgettext_lazy("imgrec", "from"), null=True, blank=True)
    ends_at = models.DateTimeField(pgettext_lazy("imgrec", "until"), null=True, blank=True)
    note = models.CharField(pgettext_lazy("imgrec", "note"), max_length=500, blank=True)
    created_by = models.CharField(
        pgettext_lazy("imgrec", "made by"), max_length=150, blank=True, editable=False
    )
    created_at = models.DateTimeField(
        pgettext_lazy("imgrec", "made"), db_default=Now(), editable=False
    )

    objects = RuleQuerySet.as_manager()

    class Meta:
        verbose_name = _("steering rule")
        verbose_name_plural = _("steering rules")
        indexes: ClassVar = [
            models.Index(fields=["item_model", "beside", "beside_value"], name="imgrec_rule_beside")
        ]

    def __str__(self) -> str:
        what = f"{self.get_action_display()} {_named(self.target, self.target_value)}"
        if self.position:
            what += f" @{self.position}"
        if self.factor:
            what += f" *{self.factor:g}"
        only_in = f" [{self.rule_set}]" if self.rule_set else ""
        return f"{what} | {_named(self.beside, self.beside_value)}{only_in}"

    @property
    def is_of_category(self) -> bool:
        """Whether it is done to a whole category."""
        return self.target == self.Target.CATEGORY


def _named(kind: Any, value: str) -> str:
    return f"{kind} {value}".strip()
