"""The tables of counting: sums per day, tokens that were used, and comparisons of two arms."""

from __future__ import annotations

from typing import ClassVar

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from imgrec.rules import SET_LENGTH

PLACEMENT_LENGTH = 64


class Arm(models.TextChoices):
    """The two sides of a comparison."""

    A = "a", "A"
    B = "b", "B"


class ListCount(models.Model):
    """How often the lists of one place, space and day were shown, seen and clicked.

    Spread over a few rows (``shard``), so that visitors do not wait for each other's.
    """

    id = models.BigAutoField(primary_key=True)
    day = models.DateField(pgettext_lazy("imgrec", "day"))  # on which the list was rendered
    placement = models.CharField(
        pgettext_lazy("imgrec", "placement"), max_length=PLACEMENT_LENGTH, blank=True
    )
    space = models.CharField(pgettext_lazy("imgrec", "space"), max_length=200)
    # 0: of none
    experiment = models.BigIntegerField(_("number of the comparison"), default=0)
    arm = models.CharField(pgettext_lazy("imgrec", "arm"), max_length=1, blank=True)
    shard = models.PositiveSmallIntegerField(pgettext_lazy("imgrec", "shard"))
    shown = models.BigIntegerField(_("lists shown"), default=0)
    seen = models.BigIntegerField(_("lists seen"), default=0)
    # with at least one click
    clicked = models.BigIntegerField(_("lists clicked"), default=0)
    # cards clicked, each once a list
    clicks = models.BigIntegerField(_("products clicked"), default=0)

    class Meta:
        verbose_name = _("count of similar products")
        verbose_name_plural = _("does it earn?")
        default_permissions = ("view",)
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["day", "placement", "space", "experiment", "arm", "shard"],
                name="imgrec_list_count",
            )
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.placement} {self.space}{self.arm}"


class UsedToken(models.Model):
    """What was counted of one rendered list, for as long as its token holds; then it goes.

    All numbers are random or counted: none is of a shopper, and none leads to one.
    """

    nonce = models.BigIntegerField(primary_key=True)  # the token's
    view = models.BigIntegerField()  # a page view's, made up by its script and kept nowhere else
    # Bit 0: shown, 1: seen, from 2 on: its cards, clicked; and the same before the last message.
    events = models.BigIntegerField()
    before = models.BigIntegerField()
    used_at = models.DateTimeField()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.nonce:x}"


class Experiment(models.Model):
    """Two spaces or rule sets shown side by side, to see whose lists are clicked more.

    With one space in both arms, the one that is served is shown, under two sets of rules; "": no
    more than the rules that always hold. What is to be found out is written down before: it
    decides how many views it takes.
    """

    id = models.BigAutoField(primary_key=True)
    name = models.CharField(_("name"), max_length=100)
    item_model = models.CharField(_("model of the products"), max_length=200, editable=False)
    placement = models.CharField(
        pgettext_lazy("imgrec", "placement"),
        max_length=PLACEMENT_LENGTH,
        blank=True,
    )
    space_a = models.CharField(_("space A"), max_length=200)
    rules_a = models.CharField(
        _("rule set A"), max_length=SET_LENGTH, blank=True, default="", db_default=""
    )
    space_b = models.CharField(_("space B"), max_length=200)
    rules_b = models.CharField(
        _("rule set B"), max_length=SET_LENGTH, blank=True, default="", db_default=""
    )
    share_of_b = models.PositiveSmallIntegerField(
        _("share of B in percent"),
        default=50,
        validators=[MinValueValidator(1), MaxValueValidator(99)],
    )
    expected_percent = models.FloatField(
        _("expected click-through rate in percent"),
        validators=[MinValueValidator(0.01), MaxValueValidator(50)],
    )
    effect_percent = models.PositiveSmallIntegerField(
        _("smallest difference worth knowing, in percent"),
        default=20,
        validators=[MinValueValidator(1), MaxValueValidator(95)],
    )
    # Lists seen that each arm needs: reckoned from the two above at the start, and not again.
    needed = models.PositiveIntegerField(_("views needed per arm"), editable=False)
    started_at = models.DateTimeField(pgettext_lazy("imgrec", "started"), auto_now_add=True)
    ended_at = models.DateTimeField(
        pgettext_lazy("imgrec", "ended"), null=True, blank=True, editable=False
    )

    class Meta:
        verbose_name = _("A/B comparison")
        verbose_name_plural = _("A/B comparisons")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["item_model", "placement"],
                condition=models.Q(ended_at=None),
                name="imgrec_one_running_experiment",
            )
        ]

    def __str__(self) -> str:
        return self.name

    def space_of(self, arm: str) -> str:
        """Return the label of the space an arm shows."""
        return self.space_b if arm == Arm.B else self.space_a

    def rules_of(self, arm: str) -> str:
        """Return the name of the rule set that holds in an arm."""
        return self.rules_b if arm == Arm.B else self.rules_a

    @property
    def is_of_rules(self) -> bool:
        """Whether rule sets are compared, in whichever space is served."""
        return self.space_a == self.space_b
