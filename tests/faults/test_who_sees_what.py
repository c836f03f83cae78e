"""Nobody is ever shown what they may not see: any rights, tenants and caches, on every surface.

Rights change behind everybody's back between two questions, as other processes change them.
What a shop of one moment leaves remembered in this process is there at the next.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import Any

import numpy as np
import pytest
from django.core.cache import cache
from django.core.signals import setting_changed
from django.db import models
from django.test import Client
from django.urls import include, path
from django.views.decorators.cache import cache_page
from hypothesis import HealthCheck, Phase, given, seed
from hypothesis import settings as examples
from pytest_django import Settings
from rest_framework.routers import DefaultRouter
from rest_framework.viewsets import GenericViewSet

from imgrec import (
    choice,
    crowds,
    photo_queries,
    remembered,
    seeds,
    similar,
    similar_products,
    views,
    visibility,
)
from imgrec.fragments import Fragment
from imgrec.rest_framework.mixins import SimilarProductsMixin
from imgrec.rest_framework.serializers import SimilarProductSerializer
from imgrec.seeds import ANYWAY
from imgrec.spaces import SpaceDefinition, register, space_by_label
from imgrec.sql import Part
from tests.faults.rights import COUNT, TAGS, Shop, State, as_tenant, of_tenant, states
from tests.faults.seeding import SEED
from tests.faults.surfaces import SURFACES, Surface
from tests.testapp.models import Item, ItemPhoto, Product

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.urls(__name__)]

SHOPS = {"columns": 400, "many-to-many": 400, "several photos": 200}  # and so many states of each
FULL = 20  # times as many
ALL_PHASES = tuple(Phase)
SMALL_LISTS = {"stored_neighbours": 12, "refill_below": 8}

ALL = 2**COUNT - 1
ALL_SHOWN = State(
    **dict.fromkeys(("published", "in_stock", "of_north", "listed"), ALL),
    **dict.fromkeys(TAGS, 0),
    seed=0,
    other=1,
    looks_like=2,
    limit=8,
    asker="north",
    **dict.fromkeys(("by_index", "forgotten", "without_tenants"), False),
)


class OfTenant(SimilarProductsMixin, GenericViewSet[Any]):
    """The shop's own viewset: what the tenant of the request has."""

    serializer_class = SimilarProductSerializer
    model: type[models.Model] = Product

    def get_queryset(self) -> models.QuerySet[Any]:
        rows = self.model._base_manager.all()
        tenant = self.request.headers.get("X-Tenant")
        return rows.filter(title=tenant) if tenant else rows


router = DefaultRouter()
router.include_root_view = False
router.register("own", OfTenant, basename="own")
urlpatterns = [
    path("", include(router.urls)),
    path("ready/", include("imgrec.rest_framework.urls")),
    path("imgrec/", include("imgrec.urls")),
    path("cached/<str:token>/", cache_page(600)(views.fragment)),
    path("cached-api/<str:pk>/", cache_page(600)(OfTenant.as_view({"get": "similar"}))),
]


def a_product(place: int) -> Product:
    return Product.objects.create(photo=f"{place}.png")


def an_item(place: int) -> Item:
    made = Item.objects.create()
    for n in range(2):
        ItemPhoto.objects.create(item=made, image=f"{place} {n}.png")
    return made


@pytest.fixture(params=SHOPS)
def shop(
    request: pytest.FixtureRequest, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Shop]:
    """A shop; its model's manager knows the tenant, as those of many projects do."""
    settings.IMGREC = {**settings.IMGREC, **SMALL_LISTS, "min_similarity": 0.0}
    several = request.param == "several photos"
    label = "testapp.itemphoto.embedding" if several else "testapp.product.embedding"
    declared: SpaceDefinition | None = space_by_label(label)
    assert declared is not None
    make: Callable[[int], Any] = an_item if several else a_product
    made = Shop(declared, make, by_tags=request.param == "many-to-many")
    manager: Any = made.space.item_model._default_manager
    all_rows = manager.get_queryset
    monkeypatch.setattr(manager, "get_queryset", lambda: of_tenant(all_rows()))
    monkeypatch.setattr(OfTenant, "model", made.space.item_model)
    monkeypatch.setattr(photo_queries, "ask", lambda space, data: photo_vector(made))
    yield made
    register(declared)


def photo_vector(shop: Shop) -> Any:
    """Return what a worker would: the vector of a product, as if that had been photographed."""
    column = shop.space.item_column
    like = shop.products[shop.state.looks_like]
    row = shop.space.embedding_model.objects.filter(**{column: like}).first()
    return np.asarray(row.vector, dtype=np.float32)


def see(shop: Shop, state: State, settings: Settings) -> None:
    """Bring the shop into a state."""
    # in place: another dict would be laid over the last one, a thousand deep in the end
    settings.IMGREC["exact_below"] = 1 if state.by_index else 5000
    setting_changed.send(sender=see, setting="IMGREC", value=settings.IMGREC, enter=True)
    if state.forgotten:
        remembered.forget()
        crowds.forget()
    shop.be(state)
    shop.asker = "" if state.without_tenants else state.asker


def problems(shop: Shop, client: Client, surface: Surface) -> list[str]:
    """Ask on a surface; return what is wrong with the answer."""
    place, tenant = shop.state.seed, shop.asker
    beside = [] if surface.of_photo else [place]
    allowed = shop.results(*beside, tenant=tenant)
    by_tenant = tenant if surface.tenant_of_seed else ""
    may_ask = surface.of_photo or shop.may_ask(place, tenant=by_tenant)
    answer = surface.ask(shop, client, shop.products[place])
    found = [f"shown, and may not be: {key}" for key in set(answer.shown) - allowed]
    expected = min(shop.state.limit, len(allowed)) if may_ask and shop.has_vector(place) else 0
    if surface.of_photo:
        expected = min(shop.state.limit, len(allowed))
    if len(answer.shown) != expected or len(set(answer.shown)) != expected:
        found.append(f"{answer.shown} instead of {expected} of {sorted(allowed)}")
    if not may_ask and answer.said != surface.ask(shop, client, shop.unknown()).said:
        found.append(f"a hidden seed is told from an unknown one: {answer.said}")
    return [f"{surface.name}: {each}" for each in found]


def in_any_state(
    count: int, *, phases: Collection[Phase] = ALL_PHASES
) -> Callable[[Callable[[State], None]], Callable[[], None]]:
    """Call a function with so many states, drawn from the seed of this run."""

    def decorate(look: Callable[[State], None]) -> Callable[[], None]:
        checks = list(HealthCheck)
        options: dict[str, Any] = {"deadline": None, "database": None, "phases": phases}
        options |= {"max_examples": count, "suppress_health_check": checks}
        return seed(SEED)(examples(**options)(given(states)(look)))

    return decorate


def look_everywhere(
    shop: Shop, settings: Settings, count: int, *, each: int, phases: Collection[Phase] = ALL_PHASES
) -> None:
    """Be in so many states; in one, ask on every ``each``-th of the surfaces."""
    client = Client()

    @in_any_state(count, phases=phases)
    def look(state: State) -> None:
        see(shop, state, settings)
        asked = SURFACES[(state.of_north ^ state.listed) % each :: each]
        found = [problem for surface in asked for problem in problems(shop, client, surface)]
        assert found == [], f"IMGREC_FAULTS_SEED={SEED} replays this"

    look()


def test_nobody_sees_what_they_may_not(
    shop: Shop, settings: Settings, request: pytest.FixtureRequest
) -> None:
    look_everywhere(shop, settings, SHOPS[request.node.callspec.params["shop"]], each=2)


@pytest.mark.full
@pytest.mark.timeout(3600)
def test_nobody_ever_sees_what_they_may_not(
    shop: Shop, settings: Settings, request: pytest.FixtureRequest
) -> None:
    look_everywhere(shop, settings, SHOPS[request.node.callspec.params["shop"]] * FULL, each=1)


def seed_anyway(*_asked: Any) -> Part:
    return ANYWAY


def hidden_as_well(space: SpaceDefinition) -> models.Q:
    return visibility._condition(space, space.recommend)


def sold_out_as_well(space: SpaceDefinition) -> models.Q:
    return visibility._condition(space, space.visible)


def of_all_tenants(space: SpaceDefinition, among: Any) -> models.QuerySet[Any]:
    return space.item_model._base_manager.all()


@pytest.mark.parametrize("shop", ["columns"], indirect=True)
@pytest.mark.parametrize(
    ("room", "name", "instead", "sign"),
    [
        pytest.param(choice, "is_visible", seed_anyway, "a hidden seed", id="seed of a list"),
        pytest.param(seeds, "is_visible", seed_anyway, "instead of 0", id="seed of a search"),
        pytest.param(visibility, "may_be_result", hidden_as_well, "may not be", id="visible"),
        pytest.param(visibility, "may_be_result", sold_out_as_well, "may not be", id="recommend"),
        pytest.param(choice, "candidates", of_all_tenants, "may not be", id="the shop's rows"),
        pytest.param(similar, "candidates", of_all_tenants, "may not be", id="rows for a photo"),
    ],
)
def test_a_filter_taken_away_is_noticed(
    shop: Shop,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    room: Any,
    name: str,
    instead: Callable[..., Any],
    sign: str,
) -> None:
    monkeypatch.setattr(room, name, instead)
    with pytest.raises(AssertionError, match=sign):
        look_everywhere(shop, settings, 60, each=1, phases=[Phase.generate])


def test_queries_of_several_products_in_pages(shop: Shop, settings: Settings) -> None:
    """All pages together show exactly what may be shown, whatever the query combines."""

    @in_any_state(60)
    def look(state: State) -> None:
        see(shop, state, settings)
        places = [state.seed, state.other]
        known = [p for p in places if shop.may_ask(p) and shop.has_vector(p)]
        rows = shop.rows_of(shop.asker)
        asked, shown, after = [shop.products[place] for place in places], [], None
        while True:
            page = similar_products(asked, among=rows, limit=5, after=after)
            shown += [each.pk for each in page]
            after = page.next
            if not after:
                break
        allowed = shop.results(*places, tenant=shop.asker) if known else set()
        assert sorted(shown) == sorted(allowed)

    look()


@pytest.mark.parametrize("shop", ["columns"], indirect=True)
def test_filters_over_many_to_many_relations(shop: Shop, settings: Settings) -> None:
    """The shop's own queryset joins tags: each product once, and none that lacks them."""

    @in_any_state(60)
    def look(state: State) -> None:
        see(shop, state, settings)
        chosen = Product.objects.filter(tags__name__in=TAGS[2:])
        found = similar_products(shop.products[state.seed], among=chosen, limit=30)
        tagged = state.fresh | state.good
        allowed = {
            key for key in shop.results(state.seed, tenant="") if (tagged >> shop.place_of(key)) & 1
        }
        may_ask = shop.may_ask(state.seed) and shop.has_vector(state.seed)
        assert sorted(each.pk for each in found) == sorted(allowed if may_ask else [])

    look()


@pytest.fixture
def empty_cache() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


@pytest.mark.parametrize("shop", ["columns"], indirect=True)
@pytest.mark.parametrize("what", ["fragment", "api"])
def test_a_cache_between_never_gives_one_what_another_was_given(
    shop: Shop, settings: Settings, empty_cache: None, what: str
) -> None:
    """Django's cache of whole pages round them: they say that they are for one asker only."""
    see(shop, ALL_SHOWN, settings)
    client = Client()

    def ask(tenant: str) -> Any:
        if what == "api":
            address = f"/cached-api/{shop.products[0].pk}/"
            return client.get(address, {"limit": 8}, headers={"X-Tenant": tenant})
        with as_tenant(tenant):
            asked = Fragment.of(shop.products[0], {"limit": 8}, title="", show_similarity=False)
            return client.get(f"/cached/{asked.token}/")

    north, south = ask("north"), ask("south")
    assert north.content.count(b'"pk"') + north.content.count(b"data-pk") == 8
    assert "private" in north["Cache-Control"]
    nothing = (200, b"") if what == "fragment" else (404, ask("nobody").content)
    assert (south.status_code, south.content) == nothing, "the seed is of the north"
