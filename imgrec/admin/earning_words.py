"""What the page "Does it earn?" says, in sentences and figures."""

from __future__ import annotations

from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from imgrec.admin.numbers import rounded
from imgrec.earning.figures import POWER, Share
from imgrec.earning.tables import Experiment
from imgrec.earning.verdicts import Ruling, Verdict

# What an arm without a rule set shows.
ONLY_ALWAYS = gettext_lazy("only rules that always hold")


def arm_name(experiment: Experiment, arm: str) -> str:
    """Say what an arm shows: a rule set, or a space."""
    rules = experiment.rules_of(arm)
    if experiment.is_of_rules:
        return rules or str(ONLY_ALWAYS)
    return f"{experiment.space_of(arm)} [{rules}]" if rules else experiment.space_of(arm)


def grouped(number: float) -> str:
    """Return a whole number as text, its digits in groups."""
    return number_format(number, 0, force_grouping=True)


def percent(rate: float, digits: int = 1) -> str:
    """Return a rate as text, ``2.4 %``."""
    return _("%(n)s %%") % {"n": rounded(100 * rate, digits)}


def rate(share: Share) -> str:
    """Return a share as text; a dash of nothing."""
    return "-" if share.rate is None else percent(share.rate)


def interval(share: Share) -> str:
    """Return between which rates the true one probably is."""
    found = share.interval()
    if found is None:
        return ""
    low, high = (rounded(100 * each, 1) for each in found)
    return _("%(low)s to %(high)s %%") % {"low": low, "high": high}


def progress(verdict: Verdict) -> str:
    """Say how far the comparison is, of the arm that has fewer."""
    numbers = {"n": grouped(verdict.arms.seen), "needed": grouped(verdict.needed)}
    return _("%(n)s of %(needed)s viewable impressions per arm") % numbers


def ruling(verdict: Verdict, experiment: Experiment) -> str:
    """Say what may be said, and no more."""
    values = {"effect": percent(experiment.effect_percent / 100, 0), "power": percent(POWER, 0)}
    if verdict.day:
        values["day"] = date_format(verdict.day)
    return _SENTENCES[verdict.ruling]() % {**values, **_compared(verdict)}


def _compared(verdict: Verdict) -> dict[str, str]:
    found = verdict.difference
    if found is None:
        return {}
    more, low, high = (_signed(each) for each in (found.relative, found.low, found.high))
    if verdict.ruling is Ruling.A:  # told of the winner: B against A turned round
        turned = (1 / (1 + each) - 1 for each in (found.relative, found.high, found.low))
        more, low, high = (_signed(each) for each in turned)
    p = _("p < 0.001") if found.p < 0.001 else _("p = %(p)s") % {"p": rounded(found.p, 3)}
    return {"more": more, "low": low, "high": high, "p": p}


def _signed(fraction: float) -> str:
    return f"{'-' if fraction < 0 else '+'}{percent(abs(fraction), 0)}"


_SENTENCES = {
    Ruling.TOO_EARLY: lambda: _("Too early to say."),
    Ruling.ENDED_EARLY: lambda: _("Ended before there were enough views: nothing can be said."),
    Ruling.UNEVEN: lambda: _(
        "Not to be trusted: the lists were not split as was asked for. Pages kept in a cache, or "
        "products that only one arm has look-alikes for, do that."
    ),
    Ruling.A: lambda: _("A is better: %(more)s (95 %% interval %(low)s … %(high)s), %(p)s."),
    Ruling.B: lambda: _("B is better: %(more)s (95 %% interval %(low)s … %(high)s), %(p)s."),
    Ruling.NO_DIFFERENCE: lambda: _(
        "No difference that matters was found: B against A %(more)s (95 %% interval %(low)s … "
        "%(high)s), %(p)s. One of %(effect)s would have been found in %(power)s of cases."
    ),
}
