"""Lists shown, seen and clicked: each counted once, and nothing of what is not to be counted."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.signing import TimestampSigner
from django.db import connection
from django.template import Context, Template
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from imgrec import indexing, quiet
from imgrec.earning import checks, counting, experiments
from imgrec.earning.report import Counts, by_day, lines
from imgrec.earning.tables import Experiment, ListCount, UsedToken
from imgrec.earning.tokens import MOST_CARDS, Token
from imgrec.space_rows import serve
from tests.integration.admin_pages import make_products
from tests.pictures import upload
from tests.steering import rule
from tests.testapp.models import Product, TwoSpaces

pytestmark = pytest.mark.django_db

SPACE = "testapp.product.embedding"
BROWSER = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/140.0.0.0 Safari/537.36"
ONE, OTHER = "0123456789abcdef", "fedcba9876543210"
TAG = '{% load imgrec %}{% similar_products product placement="product page" %}'
URL = "/imgrec/count/"


@pytest.fixture(autouse=True)
def counted(settings: Settings) -> None:
    settings.IMGREC = {**settings.IMGREC, "count_clicks": True}


@pytest.fixture
def products() -> list[Product]:
    return make_products(4)


def rendered(product: Any, tag: str = TAG) -> str:
    return Template(tag).render(Context({"product": product}))


def token_in(html: str) -> str:
    (found,) = re.findall(r'data-imgrec-token="([^"]+)"', html)
    return unescape(found)


def new_token(**values: Any) -> str:
    chosen = {"experiment": 0, "arm": "", "cards": 8, **values}
    return Token.new("product page", SPACE, **chosen).text


def tell(
    token: Any, *, view: Any = ONE, seen: Any = False, cards: Any = (), **headers: str
) -> None:
    """Send what the script sends."""
    send(
        json.dumps({"token": token, "view": view, "seen": seen, "cards": list(cards)}).encode(),
        **headers,
    )


def send(body: bytes, **headers: str) -> None:
    """Send a body as a beacon does; whatever it is, nothing comes back."""
    client = Client(enforce_csrf_checks=True, headers={"User-Agent": BROWSER, **headers})
    answer = client.post(URL, body, content_type="text/plain;charset=UTF-8")
    assert (answer.status_code, answer.content) == (204, b"")
    assert not answer.cookies
    assert "Cookie" not in answer.get("Vary", "")


def total() -> tuple[int, int, int, int]:
    """Return shown, seen, clicked, clicks of everything."""
    found = sum((counts for _day, counts in by_day(2)), Counts())
    return found.shown, found.seen, found.clicked, found.clicks


def test_a_page_view_is_counted_once(products: list[Product]) -> None:
    token = token_in(rendered(products[0]))
    tell(token)
    assert total() == (1, 0, 0, 0)
    tell(token, seen=True)
    assert total() == (1, 1, 0, 0)
    tell(token, seen=True, cards=[2])
    tell(token, seen=True, cards=[2, 0])
    assert total() == (1, 1, 1, 2)
    (line,) = lines(1)
    assert (line.placement, line.space, line.arm) == ("product page", SPACE, "")


def test_a_replayed_token_counts_nothing() -> None:
    token = new_token()
    for _again in range(3):
        tell(token, seen=True, cards=[0, 1])
    assert total() == (1, 1, 1, 2)
    for _again in range(3):
        tell(token, view=OTHER, seen=True, cards=[2, 3])
    assert total() == (1, 1, 1, 2)


def test_messages_in_the_wrong_order_count_the_same() -> None:
    token = new_token()
    tell(token, seen=True, cards=[1])
    tell(token, seen=True)
    tell(token)
    assert total() == (1, 1, 1, 1)


def test_who_clicks_has_seen_it() -> None:
    tell(new_token(), seen=False, cards=[0])
    assert total() == (1, 1, 1, 1)


def test_no_more_clicks_than_cards(products: list[Product]) -> None:
    token = token_in(rendered(products[0]))  # of three cards
    tell(token, cards=[0, 1, 2, 2, 1])
    tell(token, cards=[3])
    assert total() == (1, 1, 1, 3)


def test_a_long_list_is_counted_as_far_as_there_is_room() -> None:
    token = new_token(cards=500)
    tell(token, cards=range(MOST_CARDS))
    assert total() == (1, 1, 1, MOST_CARDS)
    tell(token, cards=[MOST_CARDS])
    assert total() == (1, 1, 1, MOST_CARDS)


def changed(token: str) -> list[str]:
    """Return the token changed as somebody would who wants to count for himself."""
    value, stamp, signature = token.split(":")
    other = Token.new("basket", SPACE, experiment=0, arm="", cards=8).text.split(":")
    foreign = TimestampSigner(key="another", salt="imgrec.earning")
    elsewhere = TimestampSigner(salt="imgrec.fragments")
    return [
        ":".join([other[0], stamp, signature]),  # another placement
        ":".join([value, other[1] + "1", signature]),  # another time
        ":".join([value, stamp, other[2]]),
        token[:-1],
        value,
        "",
        foreign.sign_object(["product page", SPACE, 0, "", 739000, 8, 1]),
        elsewhere.sign_object(["product page", SPACE, 0, "", 739000, 8, 1]),
        TimestampSigner(salt="imgrec.earning").sign_object(["too", "short"]),
        TimestampSigner(salt="imgrec.earning").sign_object({"of": "another version"}),
    ]


def test_a_forged_token_counts_nothing() -> None:
    for each in changed(new_token()):
        with CaptureQueriesContext(connection) as captured:
            tell(each, seen=True, cards=[0])
        assert len(captured) == 0, "no work for who makes them up"
    assert ListCount.objects.count() == UsedToken.objects.count() == 0


def test_an_old_token_counts_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    token, now = new_token(), time.time()
    monkeypatch.setattr(time, "time", lambda: now + 3599)
    tell(token)
    monkeypatch.setattr(time, "time", lambda: now + 3602)
    tell(token, seen=True)
    assert total() == (1, 0, 0, 0)


@pytest.mark.parametrize(
    "headers",
    [
        {"DNT": "1"},
        {"Sec-GPC": "1"},
        {"Sec-Purpose": "prefetch;prerender"},
        {"Purpose": "prefetch"},
        {"User-Agent": ""},
        {"User-Agent": "Mozilla/5.0 (compatible; Googlebot/2.1)"},
        {"User-Agent": BROWSER.replace("Chrome", "HeadlessChrome")},
        {"User-Agent": "curl/8.5.0"},
        {"User-Agent": "python-requests/2.32"},
    ],
    ids=str,
)
def test_who_is_not_to_be_counted_is_not(headers: dict[str, str]) -> None:
    tell(new_token(), seen=True, cards=[0], **headers)
    assert total() == (0, 0, 0, 0)
    tell(new_token(), **{name: "0" for name in headers if name in ("DNT", "Sec-GPC")})
    assert total() == (1, 0, 0, 0)


NONSENSE: list[Any] = [
    b"",
    b"null",
    b"[]",
    b"7",
    b"\xff\xfe",
    b"{}",
    b"[" * 1024,
    b'{"token": "\\ud800", "view": "0123456789abcdef", "seen": true, "cards": []}',
    b'{"token": 7, "view": "0123456789abcdef", "seen": true, "cards": []}',
    b"x" * 1025,
    b"x" * 5_000_000,
]


@pytest.mark.parametrize("body", NONSENSE, ids=lambda body: repr(body[:24]))
def test_nonsense_counts_nothing_and_harms_nobody(body: bytes) -> None:
    send(body)
    assert total() == (0, 0, 0, 0)


@pytest.mark.parametrize(
    "said",
    [
        {"view": 7},
        {"view": ""},
        {"view": "0123456789abcdef\n"},
        {"view": "\u0660123456789abcdef"},
        {"seen": 1},
        {"seen": None},
        {"cards": [-1]},
        {"cards": [8]},
        {"cards": [True]},
        {"cards": [0.0]},
        {"cards": ["0"]},
        {"cards": [[0]]},
        {"cards": [10**400]},
    ],
    ids=str,
)
def test_what_the_script_does_not_say_counts_nothing(said: dict[str, Any]) -> None:
    tell(new_token(), **said)
    assert total() == (0, 0, 0, 0)


@pytest.mark.parametrize("method", ["get", "head", "put", "delete"])
def test_it_only_listens(client: Client, method: str) -> None:
    assert getattr(client, method)(URL).status_code == 405


def test_a_broken_database_is_no_error_of_the_visitors(caplog: pytest.LogCaptureFixture) -> None:
    quiet._logged_at.clear()
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE imgrec_usedtoken RENAME TO elsewhere")
    token = new_token()
    for _again in range(2):
        tell(token, **{"X-Forwarded-For": "203.0.113.7"})
    (record,) = caplog.records
    assert "clicks are not counted" in record.getMessage()
    assert "203.0.113.7" not in caplog.text
    assert BROWSER not in caplog.text
    assert Product.objects.count() == 0, "the transaction is usable"
    quiet._logged_at.clear()


def test_what_is_kept_are_numbers_and_names_of_places(products: list[Product]) -> None:
    """Every column, and what it holds: there is none that a shopper could be in."""
    tell(token_in(rendered(products[0])), seen=True, cards=[1])
    columns = {
        model: {field.column: type(getattr(row, field.attname)) for field in row._meta.fields}
        for model in (ListCount, UsedToken)
        for row in model.objects.all()
    }
    texts = {name for each in columns.values() for name, kind in each.items() if kind is str}
    assert texts == {"placement", "space", "arm"}
    assert columns[UsedToken].keys() == {"nonce", "view", "events", "before", "used_at"}


def test_used_tokens_are_thrown_away_once_they_no_longer_hold() -> None:
    tell(new_token())
    UsedToken.objects.update(used_at=timezone.now() - timedelta(hours=3))
    counting.forget()
    tell(new_token())
    assert UsedToken.objects.count() == 1
    assert total() == (2, 0, 0, 0)


def test_sums_are_spread_over_few_rows() -> None:
    for _each in range(60):
        tell(new_token())
    assert 4 < ListCount.objects.count() <= counting.SHARDS
    assert total() == (60, 0, 0, 0)


def test_it_is_off_by_default(settings: Settings, products: list[Product]) -> None:
    on = rendered(products[0])
    token = token_in(on)
    values = dict(django_settings.IMGREC)
    del values["count_clicks"]
    settings.IMGREC = values
    with CaptureQueriesContext(connection) as captured:
        off = rendered(products[0])
    assert off == rendered(products[0], "{% load imgrec %}{% similar_products product %}")
    assert off == re.sub(r' data-imgrec-\w+="[^"]+"|<script.*</script>', "", on)
    assert not [each for each in captured if "experiment" in each["sql"]]
    tell(token, seen=True)
    assert ListCount.objects.count() == 0


def test_counting_costs_a_page_one_look_for_experiments_now_and_then(
    products: list[Product],
) -> None:
    with CaptureQueriesContext(connection) as captured:
        rendered(products[0])
        rendered(products[1])
    assert len([each for each in captured if "imgrec_experiment" in each["sql"]]) == 1


def test_every_rendering_has_a_token_of_its_own(products: list[Product]) -> None:
    tokens = {token_in(rendered(products[0])) for _each in range(5)}
    assert len(tokens) == 5
    assert max(map(len, tokens)) < 220


@pytest.mark.parametrize("name", ["", "x" * 500, "a\0b", '"><script>', "Größe 😀"])
def test_a_placement_may_be_called_anything(products: list[Product], name: str) -> None:
    tag = "{% load imgrec %}{% similar_products product placement=name %}"
    html = Template(tag).render(Context({"product": products[0], "name": name}))
    assert "<script>" not in html
    tell(token_in(html))
    (line,) = lines(1)
    assert line.placement == name.replace("\0", "")[:64]


def test_a_list_that_comes_later_is_counted_where_its_place_is(products: list[Product]) -> None:
    place = rendered(products[0], TAG.replace("product placement", "product lazy=True placement"))
    assert "data-imgrec-token" not in place, "the page may be kept in a cache"
    assert "imgrec/count.js" in place
    (address,) = re.findall(r'data-imgrec-lazy="([^"]+)"', place)
    first, second = (token_in(Client().get(address).text) for _view in range(2))
    assert first != second
    tell(first)
    tell(second)
    (line,) = lines(1)
    assert (line.placement, line.counts.shown) == ("product page", 2)


def test_without_an_address_the_list_is_there_and_not_counted(
    products: list[Product], settings: Settings
) -> None:
    settings.ROOT_URLCONF = "tests.integration.test_lazy_tag"
    html = rendered(products[0])
    assert "imgrec-card" in html
    assert "data-imgrec-token" not in html
    (message,) = checks.check_counting()
    assert message.id == "imgrec.W006"
    assert 'include("imgrec.urls")' in str(message.hint)
    settings.IMGREC = {**settings.IMGREC, "count_clicks": False}
    assert checks.check_counting() == []


# --- two spaces compared

FINE, COARSE = "testapp.twospaces.fine", "testapp.twospaces.coarse"


def compare(**values: Any) -> Experiment:
    chosen: dict[str, Any] = {"name": "Which?", "share_of_b": 50, "needed": 100}
    chosen |= {"expected_percent": 2, "effect_percent": 20, "item_model": "testapp.twospaces"}
    made = Experiment.objects.create(**{**chosen, "space_a": FINE, "space_b": COARSE, **values})
    experiments.forget()
    return made


@pytest.fixture
def things() -> list[TwoSpaces]:
    made = [TwoSpaces.objects.create(photo=upload(n / 4)) for n in range(4)]
    indexing.work()
    return made


def drawn(thing: TwoSpaces, views: int, tag: str = TAG) -> list[tuple[str, str]]:
    """Return space and arm of so many renderings."""
    tokens = [Token.read(token_in(rendered(thing, tag))) for _view in range(views)]
    return [(token.space, token.arm) for token in tokens]


def test_lists_come_from_both_spaces_in_the_share_asked_for(things: list[TwoSpaces]) -> None:
    compare(share_of_b=25)
    found = drawn(things[0], 120)
    assert set(found) == {(FINE, "a"), (COARSE, "b")}
    assert 10 <= found.count((COARSE, "b")) <= 55  # 30, and five standard deviations


def test_it_is_of_its_placement_alone(things: list[TwoSpaces]) -> None:
    compare(placement="basket")
    assert {arm for _space, arm in drawn(things[0], 5)} == {""}
    basket = TAG.replace("product page", "basket")
    assert {arm for _space, arm in drawn(things[0], 20, basket)} == {"a", "b"}


def test_the_one_of_a_placement_goes_before_the_one_of_all(things: list[TwoSpaces]) -> None:
    compare(share_of_b=99)
    narrow = compare(placement="product page")
    assert Token.read(token_in(rendered(things[0]))).experiment == narrow.pk


def test_products_of_other_spaces_are_left_alone(
    things: list[TwoSpaces], products: list[Product]
) -> None:
    compare()
    assert Token.read(token_in(rendered(products[0]))).arm == ""


def test_what_ended_and_what_is_no_more_is_passed_over(things: list[TwoSpaces]) -> None:
    compare(ended_at=timezone.now())
    compare(space_b="testapp.twospaces.gone")
    assert {arm for _space, arm in drawn(things[0], 5)} == {""}


def test_when_experiments_cannot_be_read_the_list_is_there(
    things: list[TwoSpaces], caplog: pytest.LogCaptureFixture
) -> None:
    quiet._logged_at.clear()
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE imgrec_experiment RENAME TO elsewhere")
    assert rendered(things[0]).count("imgrec-card") == 3
    assert "experiments are left out" in caplog.text
    assert TwoSpaces.objects.count() == 4, "the transaction is usable"
    quiet._logged_at.clear()


# --- two rule sets compared


@pytest.fixture
def bold(products: list[Product]) -> Experiment:
    """Beside the first product a set blocks the second, and shows it where the set is not."""
    rule("block", products[1], beside=products[0], rule_set="bold")
    return compare(
        item_model="testapp.product", space_a=SPACE, space_b=SPACE, rules_a="", rules_b="bold"
    )


def cards(html: str) -> int:
    return html.count("data-pk=")


def test_each_arm_shows_its_own_rules(products: list[Product], bold: Experiment) -> None:
    found = set()
    for _view in range(40):
        html = rendered(products[0])
        token = Token.read(token_in(html))
        found.add((token.experiment, token.arm, token.space, cards(html)))
    assert found == {(bold.pk, "a", SPACE, 3), (bold.pk, "b", SPACE, 2)}


def test_a_list_that_comes_later_is_of_the_arm_it_is_counted_for(
    products: list[Product], bold: Experiment
) -> None:
    place = rendered(products[0], TAG.replace("product placement", "product lazy=True placement"))
    (address,) = re.findall(r'data-imgrec-lazy="([^"]+)"', place)
    found = set()
    for _view in range(40):
        answer = Client().get(address)
        assert "no-cache" in answer["Cache-Control"]
        found.add((Token.read(token_in(answer.text)).arm, cards(answer.text)))
    assert found == {("a", 3), ("b", 2)}


def test_rule_sets_are_shown_in_the_space_that_is_served(things: list[TwoSpaces]) -> None:
    compare(space_b=FINE, rules_b="bold")
    assert {space for space, _arm in drawn(things[0], 5)} == {FINE}
    serve(COARSE)
    assert set(drawn(things[0], 40)) == {(COARSE, "a"), (COARSE, "b")}


def test_a_set_holds_for_nobody_once_it_ended(products: list[Product], bold: Experiment) -> None:
    Experiment.objects.update(ended_at=timezone.now())
    experiments.forget()
    assert {cards(rendered(products[0])) for _view in range(20)} == {3}


def test_where_nothing_is_counted_no_set_holds(
    products: list[Product], bold: Experiment, settings: Settings
) -> None:
    settings.IMGREC = {**settings.IMGREC, "count_clicks": False}
    assert {cards(rendered(products[0])) for _view in range(20)} == {3}


def test_both_arms_are_counted_apart(things: list[TwoSpaces]) -> None:
    made = compare()
    for n in range(20):
        tell(token_in(rendered(things[0])), seen=True, cards=[0] if n % 2 else [])
    found = {line.arm: line for line in lines(1)}
    assert set(found) == {"a", "b"}
    assert {line.experiment for line in found.values()} == {made.pk}
    assert sum(line.counts.seen for line in found.values()) == 20
    assert sum(line.counts.clicked for line in found.values()) == 10
