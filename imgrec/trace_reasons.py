"""Why a product is not in a list, in a sentence: the exact rule, filter or rank."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

from django.db.models import Q
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from imgrec.item_states import annotate_item_state
from imgrec.reasons import Reason
from imgrec.rules import Rule
from imgrec.spaces import SpaceDefinition
from imgrec.states import PhotoState
from imgrec.visibility import visible


@dataclass(frozen=True)
class Why:
    """``step``: at which a product dropped out; ``rule``: the one that kept it out."""

    step: str
    text: str
    rule: Rule | None = None

    @classmethod
    def of_seed(cls, space: SpaceDefinition, key: Any, using: str) -> Self | None:
        """Return why a product has no list at all; None: it has one."""
        items = space.item_model._base_manager.using(using).filter(pk=key)
        if not visible(space, items).exists():
            text = _("This product is hidden, so it has no list: visible=%(rule)s")
            return cls("visible", text % {"rule": said(space.visible)})
        vectors = space.embedding_model.objects.using(using).filter(**{space.item_column: key})
        return None if vectors.exists() else cls.no_vector(space, key, using)

    @classmethod
    def itself(cls) -> Self:
        """The product asked about."""
        return cls("order", _("It is the product itself."))

    @classmethod
    def no_vector(cls, space: SpaceDefinition, key: Any, using: str) -> Self:
        """Nothing to compare by: with the state of its photo, and the reason of a failure."""
        items = space.item_model._base_manager.using(using).filter(pk=key)
        row: Any = annotate_item_state(items, space).first()
        state = getattr(row, "imgrec_state", "")
        if state == PhotoState.FAILED:
            code = row.imgrec_state_reason
            reason = Reason(code).label if code in Reason.values else code
            return cls("order", _("No vector: its photo failed (%(why)s).") % {"why": reason})
        if state == PhotoState.EXCLUDED:
            return cls("order", _("No vector: its photo is a placeholder picture, left out."))
        if state == PhotoState.NO_PHOTO:
            return cls("order", _("No vector: it has no photo."))
        label = PhotoState(state).label if state in PhotoState.values else state
        return cls("order", _("No vector yet: its photo is %(state)s.") % {"state": label})

    @classmethod
    def hidden(cls, space: SpaceDefinition) -> Self:
        """Out by ``visible``."""
        text = _("Hidden: it does not fulfil visible=%(rule)s")
        return cls("visible", text % {"rule": said(space.visible)})

    @classmethod
    def held_back(cls, space: SpaceDefinition) -> Self:
        """Out by ``recommend``."""
        text = _("Not recommended: it does not fulfil recommend=%(rule)s")
        return cls("recommend", text % {"rule": said(space.recommend)})

    @classmethod
    def not_among(cls) -> Self:
        """Out by the caller's choice."""
        return cls("among", _("It is not among the products to choose from."))

    @classmethod
    def not_similar(cls, similarity: float, least: float) -> Self:
        """Out by ``min_similarity``."""
        text = _("Its similarity %(similarity)s is below min_similarity=%(least)s.")
        numbers = {"similarity": f"{similarity:.3f}", "least": f"{least:g}"}
        return cls("similarity", text % numbers)

    @classmethod
    def blocked(cls, rule: Rule) -> Self:
        """Out by a merchant's rule."""
        return cls("rules", _("Blocked by rule %(id)s.") % {"id": rule.pk}, rule)

    @classmethod
    def of_seeds_group(cls, group_by: str | None) -> Self:
        """Out because the page shows a product of its group."""
        text = _("It is of the same group as the product itself (group_by=%(path)s).")
        return cls("group", text % {"path": group_by})

    @classmethod
    def same_group(cls, other: str, group_by: str | None) -> Self:
        """Out because a better one of its group is shown."""
        text = _("Same group as “%(other)s”, which comes first (group_by=%(path)s).")
        return cls("group", text % {"other": other, "path": group_by})

    @classmethod
    def folded(cls, other: str, similarity: float) -> Self:
        """Out because it looks the same as a better one, or as the product itself."""
        if not other:
            text = _("Looks the same as the product itself (similarity %(n)s).")
            return cls("group", text % {"n": f"{similarity:.3f}"})
        text = _("Folded into “%(other)s” (similarity %(n)s).")
        return cls("group", text % {"other": other, "n": f"{similarity:.3f}"})

    @classmethod
    def variant(cls, other: str) -> Self:
        """Out because somebody called it a variant of a better one, or of the product itself."""
        if not other:
            return cls("group", _("It is a variant of the product itself, as decided."))
        text = _("It is a variant of “%(other)s”, as decided, which comes first.")
        return cls("group", text % {"other": other})

    @classmethod
    def not_diverse(cls, rank: int, among: int) -> Self:
        """Not near enough to be one of those that differ from each other."""
        text = _("Rank %(rank)s: the list is made diverse among the first %(among)s.")
        return cls("diversity", text % _numbers(rank=rank, among=among))

    @classmethod
    def beyond(cls, rank: int, limit: int) -> Self:
        """Too far down."""
        text = _("Rank %(rank)s; the list shows the first %(limit)s.")
        return cls("limit", text % _numbers(rank=rank, limit=limit))


def _numbers(**values: int) -> dict[str, str]:
    return {name: number_format(value) for name, value in values.items()}


def said(rule: Q | None) -> str:
    """Return a filter as a shop writes it, near enough: ``stock__gt=0 and published=True``."""
    if not rule:
        return pgettext("imgrec", "everything")
    between = f" {rule.connector.lower()} "
    parts = [_part(child) for child in rule.children]
    text = between.join(parts)
    if rule.negated:
        return f"not ({text})"
    return text


def _part(child: Any) -> str:
    if isinstance(child, Q):
        return f"({said(child)})" if len(child.children) > 1 and not child.negated else said(child)
    return f"{child[0]}={child[1]!r}" if isinstance(child, tuple) else str(child)
