"""The page "Does it earn?", and comparisons as a merchant starts and ends them."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from imgrec.earning.tables import Experiment, ListCount
from imgrec.earning.tokens import today
from imgrec.rules import Rule
from tests.integration.admin_pages import client_of, text_of

pytestmark = pytest.mark.django_db

PAGE = "/admin/imgrec/listcount/"
EXPERIMENTS = "/admin/imgrec/experiment/"
FINE, COARSE = "testapp.twospaces.fine", "testapp.twospaces.coarse"
ALL = ("view_experiment", "add_experiment", "change_experiment")
FORM: dict[str, Any] = {
    "name": "Finer?",
    "placement": "basket",
    "space_a": FINE,
    "space_b": COARSE,
    "share_of_b": 50,
    "expected_percent": 5,
    "effect_percent": 20,
}


@pytest.fixture(autouse=True)
def counted(settings: Settings) -> None:
    settings.IMGREC = {**settings.IMGREC, "count_clicks": True}


def count(days_ago: int = 1, *, seen: int = 0, clicked: int = 0, **values: Any) -> None:
    day = today() - timedelta(days=days_ago)
    chosen = {"placement": "basket", "space": FINE, "shard": 0, "shown": seen, "clicks": clicked}
    ListCount.objects.create(day=day, seen=seen, clicked=clicked, **{**chosen, **values})


def page(query: str = "") -> str:
    return text_of(client_of("view_listcount").get(PAGE + query))


def compared(a: tuple[int, int], b: tuple[int, int], *, needed: int = 1000) -> str:
    """Return the page with a comparison of which yesterday's lists seen and clicked are these."""
    values = {key: value for key, value in FORM.items() if key != "effect_percent"}
    made = Experiment.objects.create(item_model="testapp.twospaces", needed=needed, **values)
    for arm, (seen, clicked) in (("a", a), ("b", b)):
        space = FINE if arm == "a" else COARSE
        count(2, seen=seen, clicked=clicked, space=space, experiment=made.pk, arm=arm)
    return page()


def test_it_sums_by_place_and_space() -> None:
    count(seen=1500, clicked=30)
    count(seen=500, clicked=10, shard=1)
    count(40, seen=7, clicked=7)
    body = page()
    assert '<th scope="row">basket</th>' in body
    assert "<b>2.0 %</b>" in body
    assert "1.5 to 2.7 %" in body
    assert body.count("<rect ") == 60
    assert "<b>2.3 %</b>" in page("?days=90")
    assert page("?days=nonsense").count("<rect ") == 60


def test_before_anything_was_counted_it_says_so() -> None:
    assert "Nothing was counted in these days." in page()


def test_switched_off_it_says_how_to_switch_it_on(settings: Settings) -> None:
    assert "count_clicks" not in page()
    settings.IMGREC = {**settings.IMGREC, "count_clicks": False}
    body = page()
    assert "count_clicks" in body
    assert "True" in body


def test_too_early_to_say() -> None:
    body = compared((400, 4), (380, 80))
    assert "380 of 1,000 viewable impressions per arm" in body
    assert "Too early to say." in body
    assert "is better" not in body


@pytest.mark.parametrize(
    ("a", "b", "says"),
    [
        ((1000, 50), (1000, 90), "B is better: +80 % (95 % interval +29 % … +151 %), p &lt; 0.001"),
        ((1000, 90), (1000, 50), "A is better: +80 % (95 % interval +29 % … +151 %), p &lt; 0.001"),
        ((1000, 50), (1000, 52), "No difference that matters was found: B against A +4 %"),
        ((1000, 50), (1900, 90), "Not to be trusted"),
    ],
)
def test_a_verdict(a: tuple[int, int], b: tuple[int, int], says: str) -> None:
    assert says in compared(a, b)


def test_it_takes_few_statements(django_assert_max_num_queries: Any) -> None:
    compared((1000, 50), (1000, 52))
    count(seen=10)
    client = client_of("view_listcount")
    with django_assert_max_num_queries(12):
        client.get(PAGE)


@pytest.mark.parametrize("permissions", [(), ("view_experiment",), ("view_product",)])
def test_strangers_do_not_see_it(permissions: tuple[str, ...]) -> None:
    assert client_of(*permissions).get(PAGE).status_code == 403


def test_there_is_no_other_page_of_counts() -> None:
    client = client_of("view_listcount", "view_experiment")
    assert client.get(f"{PAGE}add/").status_code == 404
    assert client.get(f"{PAGE}1/change/").status_code == 404
    assert client.post(PAGE, {"action": "delete_selected"}).status_code in (200, 405)


def test_a_comparison_starts() -> None:
    count(seen=1000, clicked=50)
    client = client_of(*ALL)
    assert 'value="5.0"' in text_of(client.get(f"{EXPERIMENTS}add/"))
    assert client.post(f"{EXPERIMENTS}add/", FORM).status_code == 302
    made = Experiment.objects.get()
    assert (made.item_model, made.needed, made.ended_at) == ("testapp.twospaces", 8158, None)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"space_b": FINE}, "either the spaces or the rule sets"),
        ({"space_b": "testapp.product.embedding"}, "two spaces of the same products"),
        ({"rules_b": "bold"}, "either the spaces or the rule sets"),
        ({"space_a": COARSE, "rules_b": "bold"}, "in the space that is served"),
        ({"space_b": FINE, "rules_b": "of another model"}, "No rule of these products"),
        ({"space_b": FINE, "rules_b": "over"}, "Select a valid choice"),
        ({"space_b": "nowhere"}, "Select a valid choice"),
        ({"share_of_b": 0}, "greater than or equal to 1"),
        ({"expected_percent": 0}, "greater than or equal to 0.01"),
        ({"expected_percent": "nan"}, "Enter a number"),
        ({"effect_percent": 0}, "greater than or equal to 1"),
    ],
    ids=str,
)
def test_what_cannot_be_compared_is_refused(wrong: dict[str, Any], says: str) -> None:
    make_rule("bold")
    make_rule("of another model", item_model="testapp.product")
    make_rule("over", ends_at=timezone.now())
    body = text_of(client_of(*ALL).post(f"{EXPERIMENTS}add/", {**FORM, **wrong}))
    assert says in body
    assert not Experiment.objects.exists()


def test_there_is_one_at_a_time_in_a_place() -> None:
    client = client_of(*ALL)
    client.post(f"{EXPERIMENTS}add/", FORM)
    assert "Another comparison runs there" in text_of(client.post(f"{EXPERIMENTS}add/", FORM))
    made = Experiment.objects.get()
    client.post(EXPERIMENTS, {"action": "end", "_selected_action": [made.pk]})
    assert client.post(f"{EXPERIMENTS}add/", FORM).status_code == 302
    assert Experiment.objects.count() == 2


def test_what_it_is_about_does_not_change_while_it_runs() -> None:
    client = client_of(*ALL)
    client.post(f"{EXPERIMENTS}add/", FORM)
    made = Experiment.objects.get()
    changed = {**FORM, "name": "Renamed", "effect_percent": 90, "needed": 1, "space_b": FINE}
    assert client.post(f"{EXPERIMENTS}{made.pk}/change/", changed).status_code == 302
    now = Experiment.objects.get()
    assert (now.name, now.effect_percent, now.needed) == ("Renamed", 20, made.needed)
    assert now.space_b == COARSE


# --- rule sets

RULES_TOO = (*ALL, "change_rule", "view_listcount")
BUTTON = "Have the rules of “bold” always hold"


def make_rule(name: str, **values: Any) -> Rule:
    chosen = {"action": "block", "target": "product", "target_value": "1", "beside": "all"}
    chosen |= {"item_model": "testapp.twospaces", "rule_set": name, **values}
    made: Rule = Rule.objects.create(**chosen)
    return made


def rules_compared(a: tuple[int, int], b: tuple[int, int], **values: Any) -> Experiment:
    """Return a comparison of no set and "bold", with yesterday's lists seen and clicked."""
    make_rule("bold")
    chosen = {key: value for key, value in FORM.items() if key != "effect_percent"}
    chosen |= {"space_b": FINE, "rules_b": "bold", "needed": 1000, **values}
    made = Experiment.objects.create(item_model="testapp.twospaces", **chosen)
    for arm, (seen, clicked) in (("a", a), ("b", b)):
        count(2, seen=seen, clicked=clicked, experiment=made.pk, arm=arm)
    return made


def test_a_comparison_of_rule_sets_starts() -> None:
    make_rule("bold")
    client = client_of(*RULES_TOO)
    assert "bold</option>" in text_of(client.get(f"{EXPERIMENTS}add/"))
    form = {**FORM, "space_b": FINE, "rules_b": "bold"}
    assert client.post(f"{EXPERIMENTS}add/", form).status_code == 302
    made = Experiment.objects.get()
    assert (made.is_of_rules, made.rules_a, made.rules_b) == (True, "", "bold")
    body = text_of(client.get(PAGE))
    assert "only rules that always hold" in body
    assert "Too early to say." in body
    assert BUTTON not in body
    assert "bold" in text_of(client.get(EXPERIMENTS))


def test_the_better_set_is_kept_with_one_click() -> None:
    made = rules_compared((1000, 50), (1000, 90))
    make_rule("shy")
    client = client_of(*RULES_TOO)
    body = text_of(client.get(PAGE))
    assert "B is better" in body
    assert BUTTON in body
    (url,) = re.findall(r'<form method="post" action="([^"]+/keep/)"', body)
    assert "1 rule always holds now." in text_of(client.post(url, follow=True))
    assert sorted(Rule.objects.values_list("rule_set", flat=True)) == ["", "shy"]
    made.refresh_from_db()
    assert made.ended_at is not None
    assert BUTTON not in text_of(client.get(PAGE))


def test_where_no_set_was_better_it_says_what_to_do() -> None:
    rules_compared((1000, 90), (1000, 50))
    body = text_of(client_of(*RULES_TOO).get(PAGE))
    assert "Better without the rules of “bold”: end the comparison" in body
    assert BUTTON not in body


@pytest.mark.parametrize(
    ("b", "rights", "method", "status"),
    [
        ((1000, 90), ALL, "post", 403),
        ((1000, 90), ("view_experiment", "change_rule"), "post", 403),
        ((1000, 90), RULES_TOO, "get", 405),
        ((1000, 52), RULES_TOO, "post", 302),
        ((900, 90), RULES_TOO, "post", 302),
    ],
)
def test_a_set_is_kept_by_who_may_and_once_it_is_better(
    b: tuple[int, int], rights: tuple[str, ...], method: str, status: int
) -> None:
    made = rules_compared((1000, 50), b)
    client = client_of(*rights)
    answer = getattr(client, method)(f"{EXPERIMENTS}{made.pk}/keep/")
    assert answer.status_code == status
    assert Rule.objects.get().rule_set == "bold"
    assert Experiment.objects.get().ended_at is None
    if status == 302:
        assert "No rule set was found to be better." in text_of(client.get(EXPERIMENTS))


def test_a_set_that_another_comparison_shows_is_not_taken_from_it() -> None:
    made = rules_compared((1000, 50), (1000, 90))
    rules_compared((0, 0), (0, 0), placement="product page")
    body = client_of(*RULES_TOO).post(f"{EXPERIMENTS}{made.pk}/keep/", follow=True)
    assert "Another comparison shows this set" in text_of(body)
    assert set(Rule.objects.values_list("rule_set", flat=True)) == {"bold"}
    assert not Experiment.objects.exclude(ended_at=None).exists()


def test_only_who_may_ends_one() -> None:
    client_of(*ALL).post(f"{EXPERIMENTS}add/", FORM)
    made = Experiment.objects.get()
    form = {"action": "end", "_selected_action": [made.pk]}
    client_of("view_experiment").post(EXPERIMENTS, form)
    assert Experiment.objects.get().ended_at is None
    client_of(*ALL).post(EXPERIMENTS, form)
    ended = Experiment.objects.get().ended_at
    assert ended is not None
    assert ended <= timezone.now()
