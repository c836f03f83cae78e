"""Sold out: what can be bought instead, near in price if wanted."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from django.db import models
from django.db.models import BooleanField, F, FloatField, Func, QuerySet, Subquery, Value

from imgrec.paths import price_of
from imgrec.served import likely_served
from imgrec.spaces import SpaceDefinition
from imgrec.sql import Part, compose
from imgrec.visibility import item_path, recommendable, visible

_BETWEEN = """(SELECT band.seed IS NULL OR coalesce(
    {price} BETWEEN band.seed * {low}::numeric AND band.seed * {high}::numeric, false)
FROM (SELECT {seed}::numeric AS seed) AS band)"""


def is_sold_out(product: models.Model) -> bool:
    """Return whether a product may be seen, but is not one to recommend. One SELECT at most."""
    space = likely_served(type(product))
    key = space.item_key(product)
    if not space.recommend or key is None:
        return False
    return sold_out(space, product._state.db).filter(pk=key).exists()


def sold_out(space: SpaceDefinition, using: str | None = None) -> QuerySet[Any]:
    """Return the products that may be seen, but are not to be recommended."""
    items = space.item_model._base_manager.using(using)
    bought = recommendable(space, items.all()).values("pk")
    return visible(space, items.all()).exclude(**{f"{item_path(space)}__in": bought})


def rescued(
    product: models.Model, search: dict[str, Any], *, rescue: bool
) -> tuple[bool, dict[str, Any]]:
    """Return whether a page is to rescue a sold-out product, and what it then searches by.

    A band of prices is for such pages only; without ``rescue`` it is for all.
    """
    if not rescue:
        return False, search
    if is_sold_out(product):
        return True, search
    return False, {name: value for name, value in search.items() if name != "price_band"}


def check_band(model: type[models.Model], band: float, seeds: Iterable[Any]) -> None:
    """Raise ``ValueError`` unless prices can be held within a band round one product's."""
    if not 0 < band < math.inf:
        raise ValueError(f"price_band={band}: above 0; 0.3 is 30 % less to 30 % more.")
    if len(list(seeds)) != 1:
        raise ValueError("price_band= is round the price of one product: give one.")
    if price_of(model) is None:
        label = model._meta.label
        raise ValueError(
            f"price_band= needs to know where {label} has its price:"
            f' IMGREC = {{"price": {{"{label}": "price"}}}}.'
        )


def in_band(space: SpaceDefinition, rows: QuerySet[Any], key: Any, band: float) -> QuerySet[Any]:
    """Leave products that cost about as much as one; all, when that has no price."""
    price: Any = price_of(space.item_model)
    items = space.item_model._base_manager.order_by()
    seed = Subquery(items.filter(pk=key).values(price.name))
    low, high = (Value(max(0.0, 1 + by), FloatField()) for by in (-band, band))
    return rows.filter(_IsBetween(F(price.name), seed, low, high))


class _IsBetween(Func):
    """Whether a price is within a band of factors round another; of none, always."""

    output_field = BooleanField()

    def as_sql(self, compiler: Any, connection: Any, *args: Any, **context: Any) -> Any:
        """Compile ``price BETWEEN seed * low AND seed * high``, with the seed read once."""
        names = ("price", "seed", "low", "high")
        parts = {
            name: Part(sql, tuple(params))
            for name, (sql, params) in zip(
                names, map(compiler.compile, self.source_expressions), strict=True
            )
        }
        return tuple(compose(_BETWEEN, **parts))
