"""Products from a stored list: one SELECT gives those of the list that the filters leave."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

from django.db import connections
from django.db.models import BooleanField, F, FloatField, Func, IntegerField, QuerySet
from django.db.models.expressions import RawSQL

from imgrec.choice import Choice
from imgrec.conf import settings
from imgrec.models import Space
from imgrec.paging import ROUNDING
from imgrec.remembered import instances
from imgrec.results import SimilarProducts
from imgrec.seeds import of_key, prepared_key
from imgrec.served import decides_what_is_served
from imgrec.sql import IsIn, Part, compiled, compose
from imgrec.visibility import item_path
from imgrec.wishes import Wish

# What may be read of a list: nothing of a hidden seed's, nor of an encoder not served.
_READABLE = "{lists}.owner_id = {key} AND {shown}"
_SERVED = """ AND EXISTS (
    SELECT FROM {spaces} AS space WHERE space.label = {label}
        AND space.served_version = {lists}.version {of_several}
)"""

# So many times as many neighbours as are wanted are looked up first.
FIRST = 2


def from_list(choice: Choice, wish: Wish, *, served_only: bool) -> SimilarProducts | None:
    """Return products from an item's stored list, or None when it cannot tell enough.

    ``served_only``: the space must be the one that shoppers see, and the list of the version
    they see.
    """
    page, limit = wish.after, wish.limit
    if page and page.most_similar <= 2 * ROUNDING:
        return None  # lists tell nothing apart that is not similar at all
    space, most = choice.space, limit + 1 + (len(page.keys) if page else 0)
    read = _read(choice, wish, most, _READABLE + (_SERVED if served_only else ""))
    # once each, even where the caller annotates what a product has several of
    once = {space.item_key(each): each for each in reversed(read)}
    near = [each for each in reversed(once.values()) if each.imgrec_similarity >= wish.least]
    is_all = len(near) < len(once) or (
        len(read) < most and any(each.imgrec_says_all for each in near)
    )
    new = [each for each in near if not (page and page.has_shown(space.item_key(each)))]
    if len(new) < limit and not is_all:
        return None
    told = [(space.item_key(each), each.imgrec_similarity, None) for each in new[:limit]]
    token = partial(wish.next_token, told, more=len(new) > limit or not is_all)
    return SimilarProducts(map(_finished, new[:limit]), space.label, "list", next=token)


def _finished(product: Any) -> Any:
    product.similarity = product.imgrec_similarity
    del product.imgrec_similarity, product.imgrec_says_all
    return product


def _read(choice: Choice, wish: Wish, most: int, condition: str) -> list[Any]:
    """Return the first products of the list that may be shown, as the database finds them."""
    space, using, page = choice.space, choice.using, wish.after
    # rounded down, so that the floors of many categories do not make a statement each
    least = math.floor(wish.least * 100) / 100
    full = min(settings.refill_below, settings.stored_neighbours)

    def put_together(looked_up: RawSQL | None = None) -> QuerySet[Any]:
        readable, keys = _readable(condition, choice), looked_up or _neighbours(choice)
        rows = _of_list(choice, readable, keys, full, least)
        if page:
            rows = rows.filter(imgrec_similarity__lte=page.most_similar)
        return rows[:most]

    if page or choice.name is None:
        return list(put_together())
    name = (choice.name, most, least, full, condition)
    key = prepared_key(space, choice.key, using)
    return instances(name, key, using, lambda: put_together(_first_or_all(choice, most)))


def _readable(condition: str, choice: Choice) -> Part:
    space, using = choice.space, choice.using
    return compose(
        condition,
        lists=connections[using].ops.quote_name(space.list_model._meta.db_table),
        key=of_key(space, choice.key, using),
        shown=choice.shown,
        spaces=Space._meta.db_table,
        label=Part("%s", (space.label,)),
        of_several="AND space.is_served" if decides_what_is_served(space) else "",
    )


def _neighbours(choice: Choice, slice_: str = "") -> RawSQL:
    lists = connections[choice.using].ops.quote_name(choice.space.list_model._meta.db_table)
    return RawSQL(f"{lists}.neighbours{slice_}", ())  # noqa: S611 - no value in it


# A statement of its own within the statement: PostgreSQL runs it once. Before it has statistics
# of a new table it may well look at each product of the shop, and would count for each of them.
_LOOKED_UP = """(
    SELECT CASE WHEN (SELECT count(*) FROM ({enough}) AS enough) >= {limit}
        THEN {first} ELSE {every} END
    FROM {lists} WHERE {lists}.owner_id = {key}
)::{type}"""


def _first_or_all(choice: Choice, limit: int) -> RawSQL:
    """Return the keys to look up: the list's first, if enough of them are eligible.

    To look up all costs three times as much, and more in a large table, whose rows are far apart.
    """
    every, first = _neighbours(choice), _neighbours(choice, f"[:{FIRST * limit}]")
    path = item_path(choice.space)
    eligible = choice.rows.filter(IsIn(F(path), first)).order_by().values(path)[:limit]
    enough = compiled(eligible, choice.using)
    if enough is None:
        return every
    space, connection = choice.space, connections[choice.using]
    found = compose(
        _LOOKED_UP,
        enough=enough,
        limit=limit,
        first=first.sql,
        every=every.sql,
        lists=connection.ops.quote_name(space.list_model._meta.db_table),
        key=of_key(space, choice.key, choice.using),
        type=str(space.list_model._meta.get_field("neighbours").db_type(connection)),
    )
    return RawSQL(*found)  # noqa: S611 - put together from statements, values are parameters


def _of_list(
    choice: Choice, readable: Part, looked_up: RawSQL, full: int, least: float
) -> QuerySet[Any]:
    """Return the eligible products of the list, which is joined, in its order."""
    space, eligible = choice.space, choice.rows
    lists = connections[choice.using].ops.quote_name(space.list_model._meta.db_table)
    similarities = RawSQL(f"{lists}.similarities", ())  # noqa: S611
    length = f"cardinality({lists}.neighbours)"
    key = F(item_path(space))
    place = Func(_neighbours(choice), key, function="array_position", output_field=IntegerField())
    found: QuerySet[Any] = (
        eligible.extra(  # noqa: S610 - a join that models know nothing of; values are parameters
            tables=[space.list_model._meta.db_table], where=[readable.sql], params=readable.params
        )
        .filter(IsIn(key, looked_up))
        .annotate(
            imgrec_similarity=_At(similarities, place),
            # a list that is shorter than lists may become, or goes on below what is asked for
            imgrec_says_all=RawSQL(  # noqa: S611
                f"({length} < %s OR {lists}.similarities[{length}] < %s)",
                (full, least),
                output_field=BooleanField(),
            ),
        )
        .order_by(place)
    )
    return found


class _At(Func):
    """``array[place]``."""

    template, arg_joiner, output_field = "(%(expressions)s])", "[", FloatField()
