"""What may be shown beside one product, or several."""

from __future__ import annotations

from collections.abc import Hashable
from copy import copy
from functools import cached_property
from typing import Any, Self

from django.db.models import BooleanField, Func, QuerySet, Subquery

from imgrec.among import candidates
from imgrec.paths import check_path, group_of
from imgrec.remembered import gives_everything, has_constant_rules, what_of
from imgrec.rescue import check_band, in_band
from imgrec.seeds import is_visible
from imgrec.several import Weights
from imgrec.spaces import SpaceDefinition
from imgrec.sql import Part
from imgrec.steering import Steering
from imgrec.visibility import item_path, recommendable, visible


class Choice:
    """The products that may be shown beside some; put together only if somebody asks.

    ``likes`` and ``dislikes``: weights by key of what is asked about, itself never shown.
    ``steering``: a merchant's rules that hold beside it, once they are known.
    """

    def __init__(
        self,
        space: SpaceDefinition,
        likes: Weights,
        dislikes: Weights,
        among: QuerySet[Any] | None,
        group_by: str | None = None,
        price_band: float | None = None,
    ) -> None:
        self.space = space
        self.likes, self.dislikes = likes, dislikes
        self.among = candidates(space, among)
        manager = space.item_model._default_manager
        self._is_everything = among is None and gives_everything(manager)
        self.group_by = group_by
        self.price_band = price_band
        self.steering: Steering | None = None
        if group_by:
            check_path(space.item_model, group_by)
        if price_band is not None:
            check_band(space.item_model, price_band, likes)

    def steered_by(self, steering: Steering) -> Self:
        """Return the same choice under a merchant's rules."""
        found = copy(self)
        found.__dict__.pop("rows", None)
        found.__dict__.pop("name", None)
        found.steering = steering
        return found

    @property
    def is_of_one(self) -> bool:
        """Whether one product is asked about, and no other."""
        return len(self.likes) == 1 and not self.dislikes

    @property
    def key(self) -> Any:
        """The key of the one product."""
        return next(iter(self.likes))

    @property
    def seed_keys(self) -> frozenset[str]:
        """The keys of what is asked about, as text."""
        return frozenset(map(str, self.likes))

    @cached_property
    def using(self) -> str:
        """Alias of the database to read."""
        return self.among.db

    @cached_property
    def name(self) -> Hashable | None:
        """What its statements can be remembered by; None: not at all."""
        is_usual = self.steering is None and self.price_band is None and self.is_of_one
        if not is_usual or not has_constant_rules(self.space):
            return None
        what = self.space.item_model if self._is_everything else what_of(self.among, self.using)
        return None if what is None else (self.space, what, self.using)

    @cached_property
    def rows(self) -> QuerySet[Any]:
        """The products to choose from."""
        path, keys = item_path(self.space), [*self.likes, *self.dislikes]
        asked_about = {path: keys[0]} if len(keys) == 1 else {f"{path}__in": keys}
        rows = recommendable(self.space, self.among.exclude(**asked_about))
        if self.steering:
            rows = self.steering.without_blocked(rows)
        if self.price_band is not None:
            rows = in_band(self.space, rows, self.key, self.price_band)
        if not self.group_by:
            return rows
        items = self.space.item_model._base_manager.filter(pk__in=list(self.likes))
        group = group_of(self.space.item_model, self.group_by)
        groups = Subquery(visible(self.space, items).values_list(group))
        return rows.filter(_IsNoneOf(group, groups))

    @cached_property
    def shown(self) -> Part:
        """The condition for the one product to be a seed."""
        return is_visible(self.space, self.key, self.using)


class _IsNoneOf(Func):
    """Whether a value is none of a subquery's; of nobody's value, NULL, always."""

    template, arg_joiner = "((%(expressions)s)) IS NOT TRUE)", " = ANY(ARRAY"
    output_field = BooleanField()
