"""A small shop of two tenants whose rights, tags and lists are set anew at will."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from operator import and_, or_
from typing import Any

from django.db import connection
from django.db.models import Q, QuerySet
from hypothesis import strategies as st

from imgrec import neighbours
from imgrec.spaces import SpaceDefinition, register
from tests.synthetic import fill
from tests.testapp.models import Tag

COUNT = 32
UNEMBEDDED = 2  # the last ones
TENANTS = ("south", "north")
TAGS = ("public", "secret", "fresh", "good")
BY_TAGS = {
    "visible": Q(tags__name__in=["public", "good"]),
    "recommend": ~Q(tags__name="secret"),
}

# Whose shop this is, as a project with several sets it at the begin of a request.
tenant_now: ContextVar[str] = ContextVar("tenant_now", default="")


@dataclass(frozen=True)
class State:
    """Who may see what at one moment; a bit for each product, the first the lowest."""

    published: int
    in_stock: int
    of_north: int
    public: int
    secret: int
    fresh: int
    good: int
    listed: int  # those whose stored list is of the served version
    seed: int
    other: int
    looks_like: int  # the product whose vector a shopper's photo has
    asker: str
    limit: int
    by_index: bool  # live searches by the HNSW index
    forgotten: bool  # nothing remembered by this process
    without_tenants: bool  # no filter but the field's own

    def tenant_of(self, place: int) -> str:
        return TENANTS[_bit(self.of_north, place)]

    def is_visible(self, place: int, *, by_tags: bool) -> bool:
        if by_tags:
            return bool(_bit(self.public | self.good, place))
        return bool(_bit(self.published, place))

    def may_be_result(self, place: int, *, by_tags: bool) -> bool:
        worth = ~self.secret if by_tags else self.in_stock
        return self.is_visible(place, by_tags=by_tags) and bool(_bit(worth, place))


def _bit(mask: int, place: int) -> int:
    return (mask >> place) & 1


_half = st.binary(min_size=4, max_size=4).map(lambda drawn: int.from_bytes(drawn, "big"))
_most, _few = st.builds(or_, _half, _half), st.builds(and_, _half, _half)
_place = st.integers(0, COUNT - 1)
states = st.builds(
    State,
    published=_most,
    in_stock=_most,
    of_north=_half,
    public=_most,
    secret=_few,
    fresh=_half,
    good=_half,
    listed=_most,
    seed=_place,
    other=_place,
    looks_like=st.integers(0, COUNT - UNEMBEDDED - 1),
    asker=st.sampled_from(TENANTS),
    limit=st.integers(1, 10),
    by_index=st.booleans(),
    forgotten=st.booleans(),
    without_tenants=st.booleans(),
)


# Whether a product's bit is set, of a mask and the first key.
_SET = "((%s::bigint >> (id - %s)::int) & 1) = 1"
_LISTED = "((%s::bigint >> (owner_id - %s)::int) & 1) = 1"


class Shop:
    """The products, and what the last :class:`State` says about them; ``asker``: a tenant, or "".

    ``by_tags``: the field's rules go over a many-to-many relation.
    """

    def __init__(
        self, space: SpaceDefinition, make: Callable[[int], Any], *, by_tags: bool
    ) -> None:
        self.space, self.by_tags = space, by_tags
        if by_tags:
            self.space = replace(space, **BY_TAGS)
            register(self.space)
        self.products = [make(place) for place in range(COUNT)]
        self.first = self.products[0].pk
        owners = [self._owners(each) for each in self.products[: COUNT - UNEMBEDDED]]
        fill(self.space, [owner for each in owners for owner in each], clusters=6)
        neighbours.rebuild(self.space)
        self.tags = [Tag.objects.create(name=name) for name in TAGS]
        self.asker = ""
        gone = make(COUNT)
        self.gone_pk = gone.pk
        gone.delete()

    def _owners(self, product: Any) -> list[Any]:
        if not self.space.item:
            return [product]
        return list(self.space.model.objects.filter(**{self.space.item: product}))

    def be(self, state: State) -> None:
        """Write a state, behind everybody's back."""
        self.state = state
        table = self.space.item_model._meta.db_table
        lists = self.space.list_model._meta.db_table
        with connection.cursor() as cursor:
            cursor.execute(
                f"UPDATE {table} SET published = {_SET}, stock = ({_SET})::int,"
                f" title = CASE WHEN {_SET} THEN 'north' ELSE 'south' END",
                self._values(state.published, state.in_stock, state.of_north),
            )
            cursor.execute(
                f"UPDATE {lists} SET version = CASE WHEN {_LISTED} THEN %s ELSE 'another' END",
                [*self._values(state.listed), self.space.embedder.version],
            )
            if hasattr(self.space.item_model, "tags"):
                cursor.execute(f"DELETE FROM {table}_tags")
                for tag, mask in zip(self.tags, self._tag_masks(state), strict=True):
                    cursor.execute(
                        f"INSERT INTO {table}_tags (product_id, tag_id)"
                        f" SELECT id, %s FROM {table} WHERE {_SET}",
                        [tag.pk, *self._values(mask)],
                    )

    def _values(self, *masks: int) -> list[int]:
        return [value for mask in masks for value in (mask, self.first)]

    def _tag_masks(self, state: State) -> list[int]:
        return [getattr(state, name) for name in TAGS]

    def place_of(self, pk: int) -> int:
        return pk - self.first

    def results(self, *beside: int, tenant: str) -> set[int]:
        """Return the keys of the products that may be shown beside those at these places."""
        return {
            product.pk
            for place, product in enumerate(self.products[: COUNT - UNEMBEDDED])
            if place not in beside
            and self.state.may_be_result(place, by_tags=self.by_tags)
            and (not tenant or self.state.tenant_of(place) == tenant)
        }

    def has_vector(self, place: int) -> bool:
        return place < COUNT - UNEMBEDDED

    def unknown(self) -> Any:
        """Return a product that was deleted while somebody's page was still open."""
        return type(self.products[0])(pk=self.gone_pk)

    def rows_of(self, tenant: str) -> QuerySet[Any]:
        """Return a tenant's products, as the shop's own queryset; of no tenant, all."""
        rows = self.space.item_model.objects.all()
        return rows.filter(title=tenant) if tenant else rows

    def may_ask(self, place: int, *, tenant: str = "") -> bool:
        """Return whether the product at that place may be seen, by that tenant if one is given."""
        seen = self.state.is_visible(place, by_tags=self.by_tags)
        return seen and (not tenant or self.state.tenant_of(place) == tenant)


@contextmanager
def as_tenant(name: str) -> Iterator[None]:
    """Be in that tenant's shop."""
    token = tenant_now.set(name)
    try:
        yield
    finally:
        tenant_now.reset(token)


def of_tenant(rows: QuerySet[Any]) -> QuerySet[Any]:
    """Return what a manager that knows the tenant leaves of some rows."""
    name = tenant_now.get()
    return rows.filter(title=name) if name else rows
