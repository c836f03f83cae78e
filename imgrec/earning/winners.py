"""Keeping the rule set that did better in a comparison."""

from __future__ import annotations

from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from imgrec import steering
from imgrec.earning import experiments
from imgrec.earning.tables import Experiment
from imgrec.earning.verdicts import Ruling, verdict
from imgrec.rules import Rule


def winning_set(experiment: Experiment, ruling: Ruling) -> str:
    """Return the named rule set of the better arm; "": none is better, or it has none."""
    return _better(experiment, ruling) or ""


def losing_set(experiment: Experiment, ruling: Ruling) -> str:
    """Return the named rule set that a better arm did without; "": it has one, or none is."""
    return experiment.rules_a or experiment.rules_b if _better(experiment, ruling) == "" else ""


def _better(experiment: Experiment, ruling: Ruling) -> str | None:
    """Return the name of the better arm's rule set; None: no set was found to be better."""
    is_decided = experiment.is_of_rules and ruling in {Ruling.A, Ruling.B}
    return experiment.rules_of(ruling.value) if is_decided else None


def keep(experiment: Experiment) -> int:
    """End a comparison and have the better set's rules always hold; return how many these are.

    Raises:
        ValueError: no set is better, or another comparison shows it.
    """
    name = winning_set(experiment, verdict(experiment).ruling)
    if not name:
        raise ValueError(_("No rule set was found to be better."))
    model, using = experiment.item_model, experiment._state.db
    running = Experiment.objects.using(using).filter(ended_at=None, item_model=model)
    with transaction.atomic(using=using):
        if running.exclude(pk=experiment.pk).filter(Q(rules_a=name) | Q(rules_b=name)).exists():
            raise ValueError(_("Another comparison shows this set. End it first."))
        running.filter(pk=experiment.pk).update(ended_at=Now())
        kept = Rule.objects.using(using).filter(item_model=model, rule_set=name).update(rule_set="")
    steering.forget()
    experiments.forget()
    return kept
