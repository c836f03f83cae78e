"""What look-alikes cost a page: ``{% similar_products %}`` on the path of the stored lists.

Read: ``similar_products(product)``, the tag without its HTML. Its rivals do the same by hand:

- bare SQL: two SELECTs through Django's cursor, written for this shop. The list, if the product
  is published and the list of the served version; then the first eight published products of its
  96 keys, in their order, with ``Product.from_db()`` and the similarity set.
- querysets: the same two SELECTs written as Django querysets, for this shop.

The whole tag renders eight cards as well. With ``lazy=True`` the page has their place only, and
another request brings the list.

Lists are of any 96 products strewn over the table (``benchmarks._any_lists``), and the catalogue
grows around them. Every call is for another product, ours and the rivals' in turns; p50.
"""

from __future__ import annotations

import random
import re
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from benchmarks._any_lists import fill_any_lists
from benchmarks._report import Row, circumstances, main, progress
from benchmarks.shop import fill, running_shop

SIZES = (1_000, 100_000, 1_000_000)
QUICK_SIZES = (1_000, 10_000)
CALLS, QUICK_CALLS = 1_000, 200
SHOWN = 8
MOST_SELECTS = 2
SEED = 1

TAG = "{% load imgrec %}{% similar_products product limit=8 %}"
LATE = "{% load imgrec %}{% similar_products product limit=8 lazy=True %}"

_LIST = """
SELECT neighbours, similarities FROM {lists}
WHERE owner_id = %s AND EXISTS (SELECT FROM {products} WHERE id = owner_id AND published)
    AND version = (SELECT served_version FROM imgrec_space WHERE label = %s)
"""
_PRODUCTS = """
SELECT {columns} FROM {products} WHERE published AND id = ANY(%s)
ORDER BY array_position(%s::bigint[], id) LIMIT %s
"""


def measure(*, quick: bool, sizes: Sequence[int] | None) -> list[Row]:
    """Return the rows of each size of catalogue, and how the read grows with it."""
    calls = QUICK_CALLS if quick else CALLS
    rows, reads = [], {}
    with running_shop():
        for n in sizes or QUICK_SIZES:
            progress(f"{n:,} products")
            fill(n, seed=SEED, index=False)
            fill_any_lists(n, seed=SEED)
            with circumstances(n=n, seed=SEED, repeats=min(calls, n) * 9 // 10):
                found = _at(n, min(calls, n))
            rows += found
            reads[n] = found[0]
    if len(reads) < 2:
        return rows
    (smallest, first), *_between, (largest, last) = reads.items()
    grown = f"read: {largest:,} products beside {smallest:,}"
    return [*rows, replace(last, name=grown, rival="as few", rival_value=first.value)]


def _at(n: int, calls: int) -> list[Row]:
    from benchmarks.shop.models import Product

    rivals = _by_hand()
    keys = np.random.default_rng([SEED, n]).choice(n, calls, replace=False) + 1
    products = [Product.objects.get(pk=key) for key in keys.tolist()]
    _agree(products[:50], rivals)
    took = _medians(products, _ways(rivals))
    read, tag = took["read"], took["tag"]
    return [
        Row("read of a list", read, "ms", "two SELECTs, bare SQL", took["sql"]),
        Row("read of a list", read, "ms", "two SELECTs, querysets", took["querysets"]),
        Row("the whole tag", tag, "ms", "two SELECTs, bare SQL", took["sql"]),
        Row("the whole tag", tag, "ms", "two SELECTs, querysets", took["querysets"]),
        Row("rendering", tag - read, "ms", "the read", read),
        Row("page with lazy=True", took["late"], "ms", "page with the list", tag),
        Row("request for the list", took["request"], "ms", "page with the list", tag),
        Row("SELECTs of the tag", _selects(products[0]), "", "at most", MOST_SELECTS, repeats=1),
    ]


def _ways(rivals: ByHand) -> dict[str, Callable[[Any], Any]]:
    from django.template import Context, Template

    from imgrec import similar_products

    tag, late = Template(TAG), Template(LATE)
    return {
        "read": similar_products,
        "sql": rivals.by_sql,
        "querysets": rivals.by_querysets,
        "tag": lambda product: tag.render(Context({"product": product})),
        "late": lambda product: late.render(Context({"product": product})),
        "request": _request,
    }


def _request(product: Any) -> Any:
    from django.test import RequestFactory

    from imgrec.fragments import Fragment
    from imgrec.views import fragment

    asked = Fragment.of(product, {"limit": SHOWN}, title="", show_similarity=False)
    return fragment(RequestFactory().get("/"), asked.token)


def _medians(products: Sequence[Any], ways: dict[str, Callable[[Any], Any]]) -> dict[str, float]:
    """Return milliseconds; the first tenth of the calls only warms up."""
    took: dict[str, list[float]] = {name: [] for name in ways}
    turns = list(ways.items())
    order = random.Random(SEED)
    for product in products:
        order.shuffle(turns)  # whoever comes first finds the pages cold
        for name, way in turns:
            began = time.perf_counter()
            way(product)
            took[name].append(1000 * (time.perf_counter() - began))
    return {name: statistics.median(each[len(each) // 10 :]) for name, each in took.items()}


@dataclass(frozen=True)
class ByHand:
    """What somebody writes who has no imgrec to ask, for this one shop."""

    list_sql: str
    products_sql: str
    columns: list[str]
    label: str
    list_model: Any

    def by_sql(self, seed: Any) -> list[Any]:
        """Return the products by two bare statements."""
        from django.db import connection

        with connection.cursor() as cursor:
            cursor.execute(self.list_sql, [seed.pk, self.label])
            keys, similarities = cursor.fetchone()
            cursor.execute(self.products_sql, [keys, keys, SHOWN])
            rows = cursor.fetchall()
        found = [type(seed).from_db("default", self.columns, row) for row in rows]
        return _told(found, keys, similarities)

    def by_querysets(self, seed: Any) -> list[Any]:
        """Return the products by two querysets."""
        from django.db.models import Exists, F, Func, IntegerField, OuterRef, Subquery, Value

        from imgrec.models import Space

        model = type(seed)
        served = Space.objects.filter(label=self.label).values("served_version")[:1]
        lists = self.list_model.objects.filter(
            Exists(model.objects.filter(pk=OuterRef("owner"), published=True)),
            owner=seed.pk,
            version=Subquery(served),
        )
        keys, similarities = lists.values_list("neighbours", "similarities").get()
        order = Value(keys, output_field=self.list_model._meta.get_field("neighbours"))
        place = Func(order, F("pk"), function="array_position", output_field=IntegerField())
        rows = model.objects.filter(pk__in=keys, published=True).order_by(place)[:SHOWN]
        return _told(list(rows), keys, similarities)


def _by_hand() -> ByHand:
    from benchmarks.shop.models import Product
    from imgrec.spaces import spaces_of

    (space,) = spaces_of(Product)
    columns = [field.column for field in Product._meta.concrete_fields]
    names = {
        "lists": space.list_model._meta.db_table,
        "products": Product._meta.db_table,
        "columns": ", ".join(columns),
    }
    return ByHand(
        _LIST.format(**names), _PRODUCTS.format(**names), columns, space.label, space.list_model
    )


def _told(products: list[Any], keys: list[Any], similarities: list[float]) -> list[Any]:
    known = dict(zip(keys, similarities, strict=True))
    for product in products:
        product.similarity = known[product.pk]
    return products


def _agree(products: Sequence[Any], rivals: ByHand) -> None:
    """Make sure that all of them answer the same, by the list."""
    from imgrec import similar_products

    for product in products:
        ours = similar_products(product)
        assert ours.way == "list"
        for theirs in (rivals.by_sql(product), rivals.by_querysets(product)):
            assert [(each.pk, each.similarity) for each in ours] == [
                (each.pk, each.similarity) for each in theirs
            ]


def _selects(product: Any) -> int:
    from django.db import connection
    from django.template import Context, Template
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as captured:
        Template(TAG).render(Context({"product": product}))
    # a bounded read comes in one message with its SET LOCAL
    return sum(len(re.findall(r"(?:^|;)[\s(]*SELECT\b", each["sql"])) for each in captured)


if __name__ == "__main__":
    main("page", measure, sizes=SIZES)
