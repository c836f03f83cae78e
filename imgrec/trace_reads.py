"""What a trace asks of the database: all products near one, and which of them pass each filter."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from django.db.models import Q, QuerySet

from imgrec import steered
from imgrec.answering import Question
from imgrec.choice import Choice
from imgrec.pool import Candidate, Search
from imgrec.seeds import of_seed
from imgrec.spaces import SpaceDefinition
from imgrec.steering import Steering
from imgrec.visibility import item_path, recommendable, visible
from imgrec.wishes import Wish


@dataclass
class Reads:
    """``found``: all that is near, by key."""

    question: Question
    choice: Choice
    steering: Steering
    found: dict[Any, Candidate] = field(default_factory=dict, kw_only=True)

    @property
    def space(self) -> SpaceDefinition:
        return self.choice.space

    @property
    def wish(self) -> Wish:
        return replace(self.question.wish, seed_keys=self.choice.seed_keys)

    @cached_property
    def search(self) -> Search:
        """The search that shoppers' lists come from."""
        choice = self.choice.steered_by(self.steering)
        return self.question.search(choice, self._seed)

    @cached_property
    def everything(self) -> Search:
        """The same among all products but the one asked about."""
        rows = self._items().exclude(pk=self.choice.key)
        return replace(self.search, rows=lambda: rows, like=None)

    def _seed(self) -> Any:
        return of_seed(self.space, self.choice.key, self.choice.using, shown=self.choice.shown)

    def _items(self) -> QuerySet[Any]:
        rows: QuerySet[Any] = self.space.item_model._base_manager.using(self.choice.using)
        return rows.order_by()

    def _candidate(self, key: Any) -> Candidate | None:
        if key is None:
            return None
        only = steered.among(self.everything, Q(**{item_path(self.space): key}))
        found = only.pool(1).candidates
        return found[0] if found else None

    def _products(self, keys: list[Any]) -> dict[Any, Any]:
        rows = self._items().filter(pk__in=keys)
        return {self.space.item_key(product): product for product in rows}

    def _filters(self) -> dict[str, set[Any]]:
        """Return which of the products found pass each filter."""
        keys = [*self.found]
        rows, path = self._items().filter(pk__in=keys), item_path(self.space)
        chosen = {f"{path}__in": keys}
        return {
            "order": set(keys),
            "visible": _keys(visible(self.space, rows), path),
            "recommend": _keys(recommendable(self.space, rows), path),
            "among": _keys(self.choice.among.order_by().filter(**chosen), path),
            "group": _keys(self.choice.rows.order_by().filter(**chosen), path),
        }

    @cached_property
    def categories(self) -> dict[Any, Any]:
        """The categories of all products found, if any rule goes by them."""
        category = self.steering.category
        rules = [*self.steering.blocks, *self.steering.boosts]
        if category is None or not any(each.rule.is_of_category for each in rules):
            return {}
        rows = self._items().filter(pk__in=[*self.found])
        return dict(rows.values_list(item_path(self.space), category.name))


def _keys(rows: QuerySet[Any], path: str) -> set[Any]:
    return set(rows.values_list(path, flat=True))
