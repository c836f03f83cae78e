"""The slow truth about lists under a merchant's rules: every product looked at, in plain Python."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from imgrec.rules import Rule
from tests.testapp.models import Product

LABEL = "testapp.product"


def rule(action: str, target: Any, *, beside: Any = None, **values: Any) -> Rule:
    """Save a rule; products are meant by instance, categories by text, everything by None."""
    kinds = {type(None): "all", str: "category"}
    made: Rule = Rule.objects.create(
        item_model=LABEL,
        action=action,
        target="category" if isinstance(target, str) else "product",
        target_value=target if isinstance(target, str) else str(target.pk),
        beside=kinds.get(type(beside), "product"),
        beside_value=beside if isinstance(beside, str) else str(beside.pk) if beside else "",
        **values,
    )
    return made


class Truth:
    """What comes beside a product, by the words of the documentation; titles are categories."""

    def __init__(self, products: Sequence[Product], vectors: Any) -> None:
        self.products = {product.pk: product for product in products}
        self.vectors = {p.pk: v for p, v in zip(products, vectors, strict=True)}

    def keys(
        self,
        seed: Product,
        rules: Sequence[Rule],
        *,
        limit: int,
        min_similarity: float = 0.0,
        group_by: str | None = None,
        fold: float | None = None,
        diversity: float | None = None,
    ) -> list[int]:
        """Return the keys of the list."""
        rules = [each for each in rules if self._is_beside(each, seed)]
        eligible = [p for p in self.products.values() if self._may_come(p, seed, rules, group_by)]
        pins = self._pins(seed, rules, eligible, limit)
        others = [p for p in eligible if p.pk not in [key for _position, key in pins]]
        others = [p for p in others if max(self._cosine(seed, p), 0) >= min_similarity]
        others.sort(key=lambda p: -self._score(seed, p, rules))
        kept = [self.products[key] for _position, key in pins]
        naturals: list[Product] = []
        for product in others:
            if not self._is_like(product, kept, seed, group_by, fold):
                kept.append(product)
                naturals.append(product)
        if diversity:
            naturals = self._diverse(seed, naturals, rules, pins, limit, diversity)
        return _placed(pins, [each.pk for each in naturals], limit)

    def _cosine(self, one: Product, other: Product) -> float:
        return float(self.vectors[one.pk] @ self.vectors[other.pk])

    def _is_beside(self, each: Rule, seed: Product) -> bool:
        return each.beside == "all" or each.beside_value in (
            str(seed.pk) if each.beside == "product" else seed.title,
        )

    def _is_of(self, each: Rule, product: Product) -> bool:
        return each.target_value == (str(product.pk) if each.target == "product" else product.title)

    def _may_come(
        self, product: Product, seed: Product, rules: Sequence[Rule], group_by: str | None
    ) -> bool:
        blocked = any(self._is_of(each, product) for each in rules if each.action == "block")
        group = getattr(product, group_by) if group_by else None
        of_seed = group is not None and group == getattr(seed, group_by or "")
        return (
            product.published and product.stock > 0 and product != seed and not (blocked or of_seed)
        )

    def _score(self, seed: Product, product: Product, rules: Sequence[Rule]) -> float:
        score = self._cosine(seed, product)
        for each in rules:
            if score > 0 and each.action == "boost" and self._is_of(each, product):
                score *= each.factor or 1.0
        return score

    def _pins(
        self, seed: Product, rules: Sequence[Rule], eligible: list[Product], limit: int
    ) -> list[tuple[int, int]]:
        pins = [each for each in rules if each.action == "pin" and (each.position or 1) <= limit]
        pins.sort(key=lambda each: (each.position or 1, each.pk))
        near = sorted(eligible, key=lambda p: -self._cosine(seed, p))
        named = {int(each.target_value) for each in pins if each.target == "product"}
        found: list[tuple[int, int]] = []
        for each in pins:
            taken = {key for _position, key in found}
            if each.target == "category":
                taken |= named & {p.pk for p in eligible}
            chosen = [p for p in near if self._is_of(each, p) and p.pk not in taken]
            if chosen:
                found.append((each.position or 1, chosen[0].pk))
        return found

    def _is_like(
        self,
        product: Product,
        kept: list[Product],
        seed: Product,
        group_by: str | None,
        fold: float | None,
    ) -> bool:
        if group_by and any(getattr(p, group_by) == getattr(product, group_by) for p in kept):
            return True
        return fold is not None and any(self._cosine(p, product) >= fold for p in [seed, *kept])

    def _diverse(
        self,
        seed: Product,
        naturals: list[Product],
        rules: Sequence[Rule],
        pins: list[tuple[int, int]],
        limit: int,
        diversity: float,
    ) -> list[Product]:
        left, chosen = naturals[: limit * 8], []
        beside = [self.products[key] for _position, key in pins]

        def worth(product: Product) -> float:
            alike = [self._cosine(product, other) for other in [*beside, *chosen]]
            # of nothing chosen yet nothing is alike; of some, the most, be it below 0
            most = max(alike) if alike else 0.0
            return (1 - diversity) * self._score(seed, product, rules) - diversity * most

        while left and len(chosen) < limit:
            best = left[int(np.argmax([worth(product) for product in left]))]
            left.remove(best)
            chosen.append(best)
        return chosen


def _placed(pins: list[tuple[int, int]], others: list[int], limit: int) -> list[int]:
    found: list[int] = []
    while len(found) < limit and (pins or others):
        if pins and (pins[0][0] <= len(found) + 1 or not others):
            found.append(pins[0][1])
            pins = pins[1:]
        else:
            found.append(others[0])
            others = others[1:]
    return found
