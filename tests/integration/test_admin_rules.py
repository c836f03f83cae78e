"""Rules in the admin: listed, typed with checks, and in and out as CSV, all or nothing."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils.timezone import now
from pytest_django import Settings

from imgrec import rule_files
from imgrec.earning.tables import Experiment
from imgrec.rules import Rule
from tests.integration.admin_pages import client_of, text_of
from tests.steering import rule
from tests.testapp.models import Product

pytestmark = pytest.mark.django_db
LIST = "/admin/imgrec/rule/"
ALL = ("view_rule", "add_rule", "change_rule", "delete_rule")


@pytest.fixture(autouse=True)
def _categories(settings: Settings) -> None:
    settings.IMGREC = {**settings.IMGREC, "category": {"testapp.Product": "title"}}


@pytest.fixture
def products() -> list[Product]:
    return [Product.objects.create(title=title) for title in ("Lamp", "Rug", "=Cup")]


def typed(**values: Any) -> dict[str, Any]:
    """Return what the form sends."""
    usual = {
        "item_model": "testapp.product",
        "action": "block",
        "target": "product",
        "beside": "all",
    }
    return {**usual, **values}


def problems(**values: Any) -> dict[str, list[str]]:
    response = client_of(*ALL).post(f"{LIST}add/", typed(**values))
    if response.status_code == 302:
        return {}
    found: dict[str, list[str]] = response.context["adminform"].form.errors
    return found


def test_a_rule_is_made_with_who_made_it(products: list[Product]) -> None:
    sent = typed(target_value=f" {products[0].pk} ", note="recalled")
    client_of(*ALL).post(f"{LIST}add/", sent)
    made = Rule.objects.get()
    assert (made.target_value, made.note) == (str(products[0].pk), "recalled")
    assert made.created_by.startswith("user ")


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"target_value": "999999"}, "target_value"),
        ({"target_value": "lamp"}, "target_value"),
        ({"target_value": ""}, "target_value"),
        ({"item_model": "testapp.nothing", "target_value": "1"}, "item_model"),
        ({"target": "category", "target_value": "Lamp", "beside_value": "x"}, "beside_value"),
        ({"target": "category", "target_value": "Lamp", "beside": "category"}, "beside_value"),
        ({"target": "category", "target_value": "Lamp", "position": "2"}, "position"),
        ({"target": "category", "target_value": "Lamp", "action": "boost"}, "factor"),
        ({"target": "category", "target_value": "L", "action": "boost", "factor": "1"}, "factor"),
        ({"target": "category", "target_value": "L", "action": "boost", "factor": "99"}, "factor"),
        ({"target": "category", "target_value": "L", "action": "pin", "position": "0"}, "position"),
        ({"item_model": "testapp.item", "target": "category", "target_value": "1"}, "target_value"),
        (
            {
                "target": "category",
                "target_value": "Lamp",
                "starts_at_0": "2027-01-02",
                "starts_at_1": "00:00",
                "ends_at_0": "2027-01-01",
                "ends_at_1": "00:00",
            },
            "ends_at",
        ),
    ],
)
def test_what_makes_no_sense_is_refused(values: dict[str, Any], field: str) -> None:
    assert [*problems(**values)] == [field]
    assert not Rule.objects.exists()


def test_a_product_beside_itself_is_refused(products: list[Product]) -> None:
    key = str(products[0].pk)
    assert "target_value" in problems(target_value=key, beside="product", beside_value=key)


def test_the_list_names_products_and_filters_by_state(products: list[Product]) -> None:
    rule("pin", products[0], beside=products[1], position=2, note="front window")
    rule("block", "Rug", ends_at=now() - timedelta(days=1))
    rule("boost", products[2], factor=1.5, starts_at=now() + timedelta(days=1))
    client = client_of("view_rule", "view_product")
    body = text_of(client.get(LIST))
    assert f'<a href="/admin/testapp/product/{products[0].pk}/change/">Lamp</a>' in body
    for state, said in (("active", "pin 2"), ("ended", "block"), ("planned", "boost")):
        body = text_of(client.get(f"{LIST}?state={state}"))
        assert body.count("field-what") == 1
        assert said in body
    assert text_of(client.get(f"{LIST}?q=Lamp")).count("field-what") == 1
    assert text_of(client.get(f"{LIST}?q=window")).count("field-what") == 1


def test_the_list_asks_no_more_for_more_rules(
    products: list[Product], django_assert_max_num_queries: Any
) -> None:
    for product in products * 8:
        rule("pin", product, beside="Rug")
    client = client_of("view_rule")
    with django_assert_max_num_queries(12):
        client.get(LIST)


def test_a_rule_says_in_which_set_it_is(products: list[Product]) -> None:
    rule("pin", products[0], rule_set="bold")
    client = client_of(*ALL)
    assert "<option>bold</option>" in text_of(client.get(f"{LIST}add/"))
    sent = typed(target_value=str(products[1].pk), rule_set=" bold ")
    client.post(f"{LIST}add/", sent)
    assert Rule.objects.filter(rule_set="bold").count() == 2
    assert text_of(client.get(f"{LIST}?q=bold")).count("field-what") == 2


def test_what_is_being_compared_stays_as_it_is(products: list[Product]) -> None:
    space = "testapp.product.embedding"
    made = rule("block", products[0], rule_set="bold")
    running = Experiment.objects.create(
        item_model="testapp.product",
        rules_b="bold",
        needed=9,
        expected_percent=2,
        **dict.fromkeys(("space_a", "space_b"), space),
    )
    client = client_of(*ALL)
    same = typed(target_value=str(products[0].pk), rule_set="bold")
    other = {**same, "target_value": str(products[1].pk)}
    assert "rule_set" in problems(**other)
    for sent in (other, {**same, "rule_set": ""}):
        body = text_of(client.post(f"{LIST}{made.pk}/change/", sent))
        assert "This set is being compared" in body
    text = exported(client)
    assert dict(send(client, text).context["plan"].counts) == {"keep": 1}
    assert "being compared" in text_of(send(client, text.replace("block", "pin")))
    assert not problems(**{**other, "rule_set": "shy"})
    assert not problems(**{**other, "rule_set": ""})
    client.post(f"{LIST}{made.pk}/change/", {**same, "note": "why"})
    running.delete()
    client.post(f"{LIST}{made.pk}/change/", {**same, "rule_set": ""})
    made.refresh_from_db()
    assert (made.note, made.rule_set) == ("", "")


# Files


def send(client: Client, text: str | bytes, *, confirmed: bool = False) -> Any:
    if confirmed:
        return client.post(f"{LIST}import/", {"text": text, "confirmed": "yes"})
    data = text if isinstance(text, bytes) else text.encode()
    return client.post(f"{LIST}import/", {"file": SimpleUploadedFile("rules.csv", data)})


def exported(client: Client) -> str:
    response = client.get(f"{LIST}export/")
    return b"".join(response.streaming_content).decode()  # type: ignore[attr-defined]


def test_what_was_exported_comes_back_the_same(products: list[Product]) -> None:
    rule("pin", products[0], position=3, note="=SUM(A1)", starts_at=now())
    rule("boost", "=Cup", beside=products[1], factor=0.5, note='\'quoted, with "marks"')
    rule("boost", "=Cup", beside=products[1], factor=0.5, rule_set="bold")
    rule("block", "Rug", ends_at=now() + timedelta(days=3))
    client = client_of(*ALL)
    text = exported(client)
    assert "'=SUM" in text
    before = list(Rule.objects.order_by("id").values())
    Rule.objects.all().delete()
    without_id = "\n".join(
        line.partition(",")[2] if number else line.removeprefix("id,")
        for number, line in enumerate(text.splitlines())
    )
    shown = send(client, without_id)
    assert dict(shown.context["plan"].counts) == {"add": 4}
    assert not Rule.objects.exists(), "nothing before it is confirmed"
    assert send(client, without_id, confirmed=True).status_code == 302
    skipped = {"id", "created_by", "created_at"}
    after = list(Rule.objects.order_by("id").values())
    assert [{k: v for k, v in row.items() if k not in skipped} for row in after] == [
        {k: v for k, v in row.items() if k not in skipped} for row in before
    ]
    assert {row["created_by"] for row in after} == {User.objects.get().username}
    assert LogEntry.objects.filter(change_message="Imported.").count() == 4
    again = send(client, without_id)
    assert dict(again.context["plan"].counts) == {"keep": 4}


def test_lines_with_an_id_change_that_rule_and_lose_nothing(products: list[Product]) -> None:
    made = rule("pin", products[0], position=3, note="kept")
    other = rule("block", "Rug")
    client = client_of(*ALL)
    text = f"id,action,target_value,beside,position\n{made.pk},pin,{products[1].pk},all,1\n"
    text = text.replace("action", "item_model,action").replace(",pin", ",testapp.product,pin")
    assert dict(send(client, text).context["plan"].counts) == {"change": 1}
    send(client, text, confirmed=True)
    made.refresh_from_db()
    assert (made.target_value, made.position) == (str(products[1].pk), 1)
    assert made.note == "kept", "a column that is not in the file"
    assert Rule.objects.filter(pk=other.pk).exists()


def test_one_bad_line_and_nothing_is_imported(products: list[Product]) -> None:
    head = "item_model,action,target,target_value,beside,factor"
    good = f"testapp.product,boost,product,{products[0].pk},all,2"
    bad = "testapp.product,boost,product,77777,all,2"
    text = "\n".join([head, good, bad, "", good.replace(",2", ",nonsense")])
    client = client_of(*ALL)
    for confirmed in (False, True):
        shown = send(client, text, confirmed=confirmed)
        refused = shown.context["plan"].refused
        assert [row.line for row in refused] == [3, 5]
        assert "77777" in refused[0].problems[0]
        assert "Yes, import" not in text_of(shown)
        assert not Rule.objects.exists()


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ("action,target_value\n", "missing: beside"),
        ("action,target_value,beside,colour\n", "unknown: colour"),
        ("action,target_value,beside\npin,1,all,2\n", "Line 2"),
        ("action,target_value,beside\n" + "pin,1,all\n" * 5001, "5,000"),
        ("x" * 2_000_001, "bytes"),
        ("ä".encode("latin-1"), "UTF-8"),
        ("", "Choose a file"),
    ],
)
def test_a_file_that_is_none_is_refused(data: str | bytes, says: str) -> None:
    assert says in text_of(send(client_of(*ALL), data))


def test_a_spreadsheets_semicolons_will_do(products: list[Product]) -> None:
    text = (
        f"\ufeffitem_model;action;target_value;beside\ntestapp.product;pin;{products[0].pk};all\n"
    )
    assert dict(send(client_of(*ALL), text).context["plan"].counts) == {"add": 1}


def test_thousands_of_lines_are_looked_up_at_once(
    products: list[Product], django_assert_max_num_queries: Any
) -> None:
    lines = [
        f"testapp.product,boost,product,{products[n % 3].pk},all,{1 + n / 500}" for n in range(400)
    ]
    text = "\n".join(["item_model,action,target,target_value,beside,factor", *lines])
    client = client_of(*ALL)
    with django_assert_max_num_queries(30):
        send(client, text)


# Rights


@pytest.mark.parametrize(
    ("permissions", "sees", "exports", "imports"),
    [
        ((), 403, 403, 403),
        (("view_rule",), 200, 200, 403),
        (("view_rule", "add_rule"), 200, 200, 200),
        (ALL, 200, 200, 200),
    ],
)
def test_rights(permissions: Any, sees: int, exports: int, imports: int) -> None:
    client = client_of(*permissions)
    assert client.get(LIST).status_code == sees
    assert client.get(f"{LIST}export/").status_code == exports
    assert client.get(f"{LIST}import/").status_code == imports


def test_who_may_only_add_changes_nothing(products: list[Product]) -> None:
    made = rule("pin", products[0])
    client = client_of("view_rule", "add_rule")
    text = "id,item_model,action,target_value,beside\n"
    text += f"{made.pk},testapp.product,block,{products[1].pk},all\n"
    shown = send(client, text, confirmed=True)
    assert shown.context["plan"].refused[0].problems == ["You may not change rules."]
    made.refresh_from_db()
    assert made.action == "pin"


def test_an_import_needs_its_token() -> None:
    client = client_of(*ALL, csrf=True)
    assert client.post(f"{LIST}import/", {"text": "x", "confirmed": "yes"}).status_code == 403
    assert client.put(f"{LIST}import/").status_code in {403, 405}


def test_columns_are_the_models() -> None:
    names = {each.name for each in Rule._meta.fields}
    assert set(rule_files.COLUMNS) == names - {"created_by", "created_at"}
