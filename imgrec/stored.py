"""Products from a stored list: one SELECT gives those of the list that the filters leave."""

from __future__ import annotations

from typing import Any

from django.db import connections
from django.db.models import BooleanField, F, FloatField, Func, IntegerField, QuerySet
from django.db.models.expressions import RawSQL

from imgrec.choice import Choice
from imgrec.conf import settings
from imgrec.models import Space
from imgrec.remembered import has_constant_rules, instances, is_plain
from imgrec.results import SimilarProducts
from imgrec.seeds import of_key, prepared_key
from imgrec.served import decides_what_is_served
from imgrec.sql import Part, compose
from imgrec.visibility import item_path

# What may be read of a list: nothing of a hidden seed's, nor of an encoder not served.
_READABLE = "{lists}.owner_id = {key} AND {shown}"
_SERVED = """ AND EXISTS (
    SELECT FROM {spaces} AS space WHERE space.label = {label}
        AND space.served_version = {lists}.version {of_several}
)"""


def from_list(
    choice: Choice, limit: int, least: float, *, served_only: bool
) -> SimilarProducts | None:
    """Return products from an item's stored list, or None when it cannot tell enough.

    ``served_only``: the space must be the one that shoppers see, and the list of the version
    they see.
    """
    space = choice.space
    read = _read(choice, limit, least, _READABLE + (_SERVED if served_only else ""))
    # once each, even where the caller annotates what a product has several of
    once = {space.item_key(each): each for each in reversed(read)}
    near = [each for each in reversed(once.values()) if each.imgrec_similarity >= least]
    says_all = len(near) < len(once) or (
        len(read) < limit and any(each.imgrec_says_all for each in near)
    )
    if len(near) < limit and not says_all:
        return None
    for product in near:
        product.similarity = product.imgrec_similarity
        del product.imgrec_similarity, product.imgrec_says_all
    return SimilarProducts(near, space.label, "list")


def _read(choice: Choice, limit: int, least: float, condition: str) -> list[Any]:
    """Return the first products of the list that may be shown, as the database finds them."""
    space, using = choice.space, choice.using
    full = min(settings.refill_below, settings.stored_neighbours)

    def put_together() -> QuerySet[Any]:
        return _of_list(choice, _readable(condition, choice), full, least)[:limit]

    if not (is_plain(choice.among) and has_constant_rules(space)):
        return list(put_together())
    name = (space, choice.among.model, using, limit, least, full, condition)
    return instances(name, prepared_key(space, choice.key, using), using, put_together)


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


def _of_list(choice: Choice, readable: Part, full: int, least: float) -> QuerySet[Any]:
    """Return the eligible products of the list, which is joined, in its order."""
    space, eligible = choice.space, choice.rows
    lists = connections[choice.using].ops.quote_name(space.list_model._meta.db_table)
    neighbours = RawSQL(f"{lists}.neighbours", ())  # noqa: S611 - no value in it
    similarities = RawSQL(f"{lists}.similarities", ())  # noqa: S611
    length = f"cardinality({lists}.neighbours)"
    key = F(item_path(space))
    place = Func(neighbours, key, function="array_position", output_field=IntegerField())
    found: QuerySet[Any] = (
        eligible.extra(  # noqa: S610 - a join that models know nothing of; values are parameters
            tables=[space.list_model._meta.db_table], where=[readable.sql], params=readable.params
        )
        .filter(_IsIn(key, neighbours))
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


class _IsIn(Func):
    """``key = ANY(array)``."""

    template, arg_joiner, output_field = "%(expressions)s)", " = ANY(", BooleanField()


class _At(Func):
    """``array[place]``."""

    template, arg_joiner, output_field = "(%(expressions)s])", "[", FloatField()
