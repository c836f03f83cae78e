"""Everything in the admin that changes something: by method, by token, by who asks.

Only a POST with the right token from somebody who may changes anything at all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.auth.models import Permission, User
from django.db import connection, transaction
from django.middleware.csrf import _get_new_csrf_string
from django.test import Client
from django.urls import get_resolver

from imgrec.admin.experiment_admin import ExperimentAdmin
from imgrec.admin.job_admin import EmbeddingJobAdmin
from imgrec.admin.placeholder_admin import PlaceholderAdmin
from imgrec.earning.tokens import today
from imgrec.models import (
    CatalogueMap,
    DuplicatePair,
    EmbeddingJob,
    Experiment,
    ListCount,
    Placeholder,
    Rule,
    Space,
)
from imgrec.runs import start
from tests.integration.admin_pages import make_failed, make_products, page, the_space
from tests.pictures import upload
from tests.testapp.models import Product, TwoSpaces

pytestmark = pytest.mark.django_db

METHODS = ("get", "head", "post", "put", "patch", "delete", "options", "trace")
TOKENS = ("none", "another", "right")
SHOP, OURS = "/admin/testapp/product/", "/admin/imgrec/"
SPACE = "testapp.twospaces.coarse"

COMPARISON = {
    "name": "Which?",
    "placement": "basket",
    "space_a": "testapp.twospaces.fine",
    "space_b": SPACE,
    "share_of_b": "50",
    "expected_percent": "2",
    "effect_percent": "20",
}


@dataclass(frozen=True)
class Door:
    """Where something can be changed, with which form, by whoever has the permission."""

    name: str
    address: Callable[[], str]
    permission: str
    form: dict[str, str] = field(default_factory=dict)
    rows: Callable[[], Any] | None = None  # those ticked, of an action of a list
    also: str = ""  # another permission that it takes

    def data(self) -> dict[str, Any]:
        if self.rows is None:
            return self.form
        return {**self.form, ACTION_CHECKBOX_NAME: [str(row.pk) for row in self.rows()]}


DOORS = [
    Door("reindex", lambda: page("reindex"), "change_product"),
    Door("retry", lambda: page("retry"), "change_product", {"retry": "all"}),
    Door("map_make", lambda: page("map_make"), "change_product", {"make": "1"}),
    Door(
        "reindex_selected",
        lambda: SHOP,
        "change_product",
        {"action": "reindex_selected"},
        Product.objects.all,
    ),
    Door(
        "retry jobs",
        lambda: f"{OURS}embeddingjob/",
        "change_embeddingjob",
        {"action": "retry"},
        EmbeddingJob.objects.all,
    ),
    Door(
        "use",
        lambda: f"{OURS}placeholder/",
        "change_placeholder",
        {"action": "use"},
        lambda: Placeholder.objects.filter(is_allowed=False),
    ),
    Door(
        "leave_out",
        lambda: f"{OURS}placeholder/",
        "change_placeholder",
        {"action": "leave_out"},
        lambda: Placeholder.objects.filter(is_allowed=True),
    ),
    Door(
        "run",
        lambda: page("run", "twospaces", space=SPACE),
        "change_twospaces",
        {"action": "cancel"},
    ),
    Door(
        "decide",
        lambda: f"{OURS}duplicatepair/decide/?space={the_space().label}",
        "change_duplicatepair",
        {"again": "77"},
    ),
    Door("serve", lambda: f"{OURS}space/{SPACE}/serve/", "change_space"),
    Door("switch off", lambda: f"{OURS}space/{SPACE}/change/", "change_space", {}),
    Door("compare", lambda: f"{OURS}experiment/add/", "add_experiment", COMPARISON),
    Door(
        "end",
        lambda: f"{OURS}experiment/",
        "change_experiment",
        {"action": "end"},
        Experiment.objects.all,
    ),
    Door("keep", lambda: f"{OURS}experiment/77/keep/", "change_experiment", also="change_rule"),
    Door("keep too", lambda: f"{OURS}experiment/77/keep/", "change_rule", also="change_experiment"),
]
ALL_PERMISSIONS = {
    "add_experiment",
    "change_duplicatepair",
    "change_embeddingjob",
    "change_experiment",
    "change_placeholder",
    "change_product",
    "change_rule",
    "change_twospaces",
    "change_space",
}


@pytest.fixture
def shop() -> None:
    make_products(2)
    make_failed()
    label = the_space().label
    TwoSpaces.objects.create(photo=upload(0.3))
    start(the_space(SPACE))
    DuplicatePair.objects.create(pk=77, space=label, first="1", second="2", decision="merge")
    Placeholder.objects.create(space=label, sha256="0" * 64, items=30)
    Experiment.objects.create(name="Runs", item_model="x", needed=1, expected_percent=2)
    Placeholder.objects.create(space=label, sha256="1" * 64, items=30, is_allowed=True)
    a_better_rule_set()


def a_better_rule_set() -> None:
    """Have arm B of a comparison, whose number is 77, be better by far."""
    values = {"space_a": SPACE, "space_b": SPACE, "rules_b": "bold", "expected_percent": 2}
    Experiment.objects.create(
        pk=77, name="Bold?", item_model="testapp.twospaces", needed=9, **values
    )
    for arm, clicked in (("a", 10), ("b", 50)):
        seen = {"experiment": 77, "arm": arm, "seen": 100, "shown": 100, "clicked": clicked}
        ListCount.objects.create(day=today() - timedelta(days=2), space=SPACE, shard=0, **seen)


def everything() -> list[Any]:
    """Return all that could have been changed."""
    models = (
        CatalogueMap,
        DuplicatePair,
        EmbeddingJob,
        Experiment,
        Placeholder,
        Product,
        Space,
    )
    rows = "(SELECT array_agg(each::text ORDER BY {}) FROM {} AS each)"
    tables = [rows.format(each._meta.pk.column, each._meta.db_table) for each in models]
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(tables)}")
        return list(cursor.fetchone())


def askers(permission: str, also: str) -> dict[str, User | None]:
    """Return everybody who might knock; only the last two may come in."""
    others = ALL_PERMISSIONS - {permission}
    views = {f"view_{each.removeprefix('change_')}" for each in ALL_PERMISSIONS}
    return {
        "anonymous": None,
        "no permission": _user("nobody", set()),
        "may look": _user("looker", views),
        "may change other things": _user("other", others | views),
        "no staff": _user("customer", {permission, also, *views}, staff=False),
        "gone": _user("gone", {permission, also, *views}, active=False),
        "may": _user("merchant", {permission, also, *views}),
        "superuser": User.objects.create_superuser("root"),
    }


def _user(name: str, permissions: set[str], *, staff: bool = True, active: bool = True) -> User:
    user = User.objects.create(username=name, is_staff=staff, is_active=active)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    return user


def client_of(user: User | None) -> Client:
    """Return a client that is logged in."""
    client = Client(enforce_csrf_checks=True, raise_request_exception=False)
    if user:
        client.force_login(user)
    return client


def client_with(client: Client, token: str) -> tuple[Client, dict[str, str]]:
    """Return a client as new, a secret in its cookie, and the header that tells it (or not)."""
    session = client.cookies.get("sessionid")
    client.cookies.clear()
    if session:
        client.cookies["sessionid"] = session.value
    secret = _get_new_csrf_string()
    client.cookies["csrftoken"] = secret
    told = {"none": "", "another": _get_new_csrf_string(), "right": secret}[token]
    return client, {"X-CSRFToken": told} if told else {}


@contextmanager
def undone() -> Iterator[None]:
    """Take back what happens inside."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def knock(door: Door, method: str, client: Client, headers: dict[str, str]) -> None:
    """Ask at a door; the form goes in the body, or in the address where there is no body."""
    data = door.data()
    if method in ("post", "get", "head"):
        getattr(client, method)(door.address(), data, headers=headers)
    elif method == "trace":
        client.trace(door.address(), headers=headers)
    else:
        body = "&".join(f"{key}={value}" for key, value in data.items())
        kind = "application/x-www-form-urlencoded"
        getattr(client, method)(door.address(), body, content_type=kind, headers=headers)


@pytest.mark.parametrize("door", DOORS, ids=lambda door: door.name)
def test_only_a_post_with_token_and_permission_changes_anything(shop: None, door: Door) -> None:
    people = askers(door.permission, door.also)
    before, wrong, let_in = everything(), [], set()
    for who, user in people.items():
        client = client_of(user)
        for method in METHODS:
            for token in TOKENS:
                with undone():
                    knock(door, method, *client_with(client, token))
                    changed = everything() != before
                may = who in ("may", "superuser") and (method, token) == ("post", "right")
                if changed != may:
                    wrong.append(f"{who}, {method}, token {token}: changed {changed}")
                if changed:
                    let_in.add(who)
    assert wrong == []
    assert let_in == {"may", "superuser"}


def test_these_are_all_the_doors_there_are() -> None:
    """A page or an action that somebody adds must be added above."""
    resolver = get_resolver()
    pages = {
        str(name)
        for _ns, (_prefix, sub) in resolver.namespace_dict.items()
        for name in sub.reverse_dict
        if "imgrec_" in str(name)
    }
    ours = {name.rpartition("_imgrec_")[2] for name in pages if "_imgrec_" in name}
    only_read = {
        "buying_list",
        "failed",
        "map",
        "map_data",
        "map_progress",
        "map_sheet",
        "map_tile",
        "overview",
        "part",
        "progress",
        "progress_data",
        "steps",
        "why",
    }
    assert ours == {"reindex", "retry", "run", "map_make", *only_read}
    desk = {
        name.removeprefix("imgrec_duplicatepair_") for name in pages if "_duplicatepair" in name
    }
    assert desk - {"changelist", "add", "change", "delete", "history"} == {"decide", "find"}
    actions = {
        *EmbeddingJobAdmin.actions,
        *ExperimentAdmin.actions,
        *PlaceholderAdmin.actions,
    }
    assert actions == {"retry", "use", "leave_out", "end"}
    registered = {model for model in admin.site._registry if model._meta.app_label == "imgrec"}
    assert registered == {
        DuplicatePair,
        EmbeddingJob,
        Experiment,
        ListCount,
        Placeholder,
        Rule,
        Space,
    }


def test_one_reindex_of_a_space_however_many_ask(shop: None) -> None:
    client, headers = client_with(client_of(User.objects.create_superuser("root")), "right")
    client.post(page("reindex"), headers=headers)
    begun = everything()
    for _again in range(5):
        assert client.post(page("reindex"), headers=headers).status_code == 302
    assert everything() == begun
    with pytest.raises(Exception, match="already running"):
        start(the_space())
