"""The template tags: what a page shows, what it costs, and that it never breaks because of us."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from django.contrib.staticfiles import finders
from django.db import connection
from django.template import Context, Template, engines
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from imgrec import indexing, quiet, similar_products, space_rows
from imgrec.spaces import space_by_label
from tests.pictures import upload
from tests.shapes import SHAPES, Shape
from tests.testapp.models import Artwork, Item, ItemPhoto, Product, Tag, TwoSpaces

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fresh_index")]

TAG = "{% similar_products product %}"
HUES = [0.0, 0.02, 0.31, 0.33, 0.66]
BY_NAME = {shape.name: shape for shape in SHAPES}


@pytest.fixture(autouse=True)
def nothing_logged_yet() -> Iterator[None]:
    """Forget which errors were logged by the tests before."""
    quiet._logged_at.clear()
    yield
    quiet._logged_at.clear()


@pytest.fixture
def products() -> list[Product]:
    """Two reds, two greens and a blue, indexed."""
    made = [
        Product.objects.create(title=f"Chair {i}", photo=upload(hue)) for i, hue in enumerate(HUES)
    ]
    indexing.work()
    return made


def render(text: str, **values: Any) -> str:
    """Render a template that has loaded our tags."""
    return Template("{% load imgrec %}" + text).render(Context(values))


def keys(html: str) -> list[int]:
    """Return the products shown, in order."""
    return [int(pk) for pk in re.findall(r'<li class="imgrec-card" data-pk="(\d+)">', html)]


def selects(text: str, **values: Any) -> int:
    """Return how many SELECTs rendering takes, after the products are in the template."""
    with CaptureQueriesContext(connection) as captured:
        assert "imgrec-card" in render(text, **values)
    return sum(query["sql"].lstrip(" (\n").startswith("SELECT") for query in captured)


class Elements(HTMLParser):
    """The elements of a page by class, each as its attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.by_class: dict[str, list[dict[str, str | None]]] = {}
        self.open: list[str] = []
        self.feed(html)
        assert not self.open, "every element is closed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name in (dict(attrs).get("class") or "").split():
            self.by_class.setdefault(name, []).append({"": tag, **dict(attrs)})
        if tag != "img":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_shows_photo_and_title_and_says_the_title_once(products: list[Product]) -> None:
    found = similar_products(products[0])
    html = render(TAG, product=products[0])
    shown = Elements(html).by_class
    assert keys(html) == [each.pk for each in found]
    assert [photo["src"] for photo in shown["imgrec-photo"]] == [p.photo.url for p in found]
    assert [photo["alt"] for photo in shown["imgrec-photo"]] == [""] * len(found)
    assert re.findall(r'class="imgrec-title">([^<]+)<', html) == [p.title for p in found]


def test_photos_hold_their_place_while_the_page_loads(products: list[Product]) -> None:
    for photo in Elements(render(TAG, product=products[0])).by_class["imgrec-photo"]:
        assert (photo["loading"], photo["width"], photo["height"]) == ("lazy", "400", "400")


def test_a_card_is_a_link_when_the_model_has_an_address(
    products: list[Product], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "<a " not in render(TAG, product=products[0])
    monkeypatch.setattr(Product, "get_absolute_url", lambda p: f"/p/{p.pk}?a&b", raising=False)
    html = render(TAG, product=products[0])
    links = Elements(html).by_class["imgrec-link"]
    assert [link["href"] for link in links] == [f"/p/{pk}?a&b" for pk in keys(html)]


def test_similarity_is_shown_when_asked_for_as_in_the_article(products: list[Product]) -> None:
    assert "imgrec-similarity" not in render(TAG, product=products[0])
    html = render("{% similar_products product show_similarity=True %}", product=products[0])
    shown = re.findall(r'<data class="imgrec-similarity"[^>]*>([^<]+)</data>', html)
    assert shown == [f"{p.similarity:.2f}" for p in similar_products(products[0])]
    assert all(re.fullmatch(r"[01]\.\d\d", text) for text in shown)


def test_keys_and_figures_are_the_same_in_every_language(
    products: list[Product], settings: Settings
) -> None:
    settings.USE_THOUSAND_SEPARATOR = True
    settings.LANGUAGE_CODE = "de"
    Product.objects.filter(pk=products[1].pk).delete()
    big = Product.objects.create(pk=1234567, title="Chair", photo=upload(0.02))
    indexing.work()
    html = render("{% similar_products product show_similarity=True %}", product=products[0])
    assert keys(html)[0] == big.pk
    assert re.search(r">0\.\d\d</data>", html)


def test_the_section_is_named_by_its_heading(products: list[Product]) -> None:
    text = (
        "{% similar_products product title=heading %}"
        + TAG
        + "{% similar_products product limit=1 %}"
    )
    html = render(text, product=products[0], heading="You & me")
    shown = Elements(html).by_class
    named_by = [section["aria-labelledby"] for section in shown["imgrec"]]
    assert named_by == [heading["id"] for heading in shown["imgrec-heading"]]
    assert len(set(named_by)) == 3
    assert ">You &amp; me</h2>" in html
    assert ">Similar products</h2>" in html
    again = render(text, product=products[0], heading="You & me")
    assert html == again, "the same page at every view"


@pytest.mark.parametrize(
    "text",
    [
        "{% similar_products product limit=0 %}",
        "{% similar_products product min_similarity=1.01 %}",
        "{% similar_products product among=nothing %}",
        "{% similar_products unsaved %}",
        "{% similar_products hidden %}",
        "{% similar_products without_photo %}",
    ],
)
def test_nothing_to_show_is_nothing_at_all(
    products: list[Product], text: str, caplog: pytest.LogCaptureFixture
) -> None:
    products[4].published = False
    products[4].save()
    values = {
        "product": products[0],
        "nothing": Product.objects.none(),
        "unsaved": Product(),
        "hidden": products[4],
        "without_photo": Product.objects.create(title="New"),
    }
    assert render(text, **values) == ""
    assert not caplog.records


def test_titles_cannot_bring_markup(products: list[Product]) -> None:
    Product.objects.update(title='"><script>alert(1)</script><b a="')
    for text in (TAG, "{% autoescape off %}" + TAG + "{% endautoescape %}"):
        html = render(text, product=products[0])
        assert keys(html)
        assert "<script" not in html
        assert "&quot;&gt;&lt;script&gt;alert(1)" in html
        assert set(Elements(html).by_class) == {
            "imgrec",
            "imgrec-heading",
            "imgrec-grid",
            "imgrec-card",
            "imgrec-photo",
            "imgrec-title",
        }


def test_the_shops_own_template_wins(
    products: list[Product], settings: Settings, tmp_path: Path
) -> None:
    (tmp_path / "imgrec").mkdir()
    (tmp_path / "imgrec" / "similar_products.html").write_text(
        "{{ shop }}: {% for card in cards %}{{ card.product.price }} {% endfor %}for {{ seed.pk }}"
    )
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": [str(tmp_path)]}]
    page = engines["django"].from_string("{% load imgrec %}" + TAG)
    html = page.render({"product": products[0], "shop": "Ours"})
    assert html == f"Ours: 0.00 0.00 0.00 0.00 for {products[0].pk}"


def test_among_restricts_and_a_join_does_not_double(products: list[Product]) -> None:
    tags = [Tag.objects.create(name=name) for name in ("oak", "old")]
    for product in products[1:3]:
        product.tags.set(tags)
    html = render(
        "{% similar_products product among=tagged %}",
        product=products[0],
        tagged=Product.objects.filter(tags__name__in=["oak", "old"]),
    )
    assert keys(html) == [products[1].pk, products[2].pk]


def test_a_list_for_templates_of_ones_own(products: list[Product]) -> None:
    html = render(
        "{% get_similar_products product limit=2 among=rows min_similarity=0.05 as found %}"
        "{% for each in found %}[{{ each.pk }} {{ each.similarity|floatformat:3 }}]{% endfor %}"
        "{{ found.way }}",
        product=products[0],
        rows=Product.objects.exclude(pk=products[1].pk),
    )
    found = similar_products(products[0], limit=3)[1:]
    assert html == "".join(f"[{p.pk} {p.similarity:.3f}]" for p in found) + "list"


def test_a_list_is_empty_when_something_fails(caplog: pytest.LogCaptureFixture) -> None:
    html = render("{% get_similar_products product as found %}{{ found|length }}", product=Tag())
    assert html == "0"
    assert "has no ImageEmbeddingField" in caplog.text


def test_of_several_photos_the_one_that_matched_is_shown() -> None:
    seed, other = Item.objects.create(title="Seed"), Item.objects.create(title="Other")
    ItemPhoto.objects.create(item=seed, image=upload(0.3))
    ItemPhoto.objects.create(item=other, image=upload(0.8))
    match = ItemPhoto.objects.create(item=other, image=upload(0.31))
    ItemPhoto.objects.create(item=other, image=upload(0.55))
    indexing.work()
    html = render(TAG, product=seed)
    assert [p["src"] for p in Elements(html).by_class["imgrec-photo"]] == [match.image.url]
    assert keys(html) == [other.pk]


def test_a_product_whose_photo_just_went_has_an_empty_place(products: list[Product]) -> None:
    Product.objects.filter(pk=products[1].pk).update(photo="")
    first = Elements(render(TAG, product=products[0])).by_class["imgrec-photo"][0]
    assert (first[""], first["aria-hidden"]) == ("span", "true")


@pytest.mark.parametrize(
    ("name", "most"),
    [
        ("integer key", 1),
        ("uuid key", 1),
        ("multi-table child", 1),
        ("two fields, first", 1),
        ("many photos", 2),
        ("not our model", 2),
    ],
)
def test_the_list_path_costs_few_queries(name: str, most: int) -> None:
    shape: Shape = BY_NAME[name]
    made = [shape.make(hue) for hue in HUES]
    for item in made if shape.photo else ():
        shape.photo.objects.create(**{shape.relation: item, shape.space.source: upload(0.5)})
    indexing.work()
    assert similar_products(made[0]).way == "list"
    assert selects(TAG, product=made[0]) == most


def test_the_second_of_two_spaces_costs_no_more() -> None:
    made = [TwoSpaces.objects.create(photo=upload(hue)) for hue in HUES]
    indexing.work()
    space_rows.serve("testapp.twospaces.coarse")
    assert similar_products(made[0]).space == "testapp.twospaces.coarse"
    assert selects(TAG, product=made[0]) == 1


def test_the_tag_costs_nothing_per_product_shown(products: list[Product]) -> None:
    few = selects("{% similar_products product limit=1 %}", product=products[0])
    assert few == selects("{% similar_products product limit=4 %}", product=products[0])


def _rename_lists() -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE testapp_productembeddinglist RENAME TO elsewhere")


def _slow_lists() -> None:
    """Have the list answer too late for the host's statement_timeout."""
    _rename_lists()
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE VIEW testapp_productembeddinglist AS"
            " SELECT elsewhere.* FROM elsewhere, pg_sleep(20)"
        )
        cursor.execute("SET LOCAL statement_timeout = '60ms'")


@pytest.mark.parametrize("break_it", [_rename_lists, _slow_lists])
def test_a_failing_database_costs_the_list_and_nothing_else(
    products: list[Product], break_it: Callable[[], None], caplog: pytest.LogCaptureFixture
) -> None:
    break_it()
    for _view in range(3):
        assert render(f"before{TAG}after", product=products[0]) == "beforeafter"
    assert len(caplog.records) == 1
    assert caplog.records[0].exc_info
    Product.objects.create(title="the host's transaction goes on")
    assert Product.objects.count() == len(products) + 1


@pytest.mark.parametrize(
    "text",
    [
        "{% similar_products no_such_variable %}",
        '{% similar_products product limit="many" %}',
        "{% similar_products product limit=-1 %}",
        "{% similar_products product among=no_such_variable %}",
        "{% similar_products product among=sliced %}",
        "{% similar_products artwork %}",
        "{% similar_products product among=others %}",
    ],
)
def test_a_mistake_in_the_template_is_logged_not_shown(
    products: list[Product], text: str, caplog: pytest.LogCaptureFixture
) -> None:
    values = {
        "product": products[0],
        "sliced": Product.objects.all()[:3],
        "others": Artwork.objects.all(),
        "artwork": Tag.objects.create(name="x"),
    }
    assert render(f"before{text}after", **values) == "beforeafter"
    assert render(f"before{text}after", **values) == "beforeafter"
    assert len(caplog.records) == 1


def test_a_failing_address_or_template_of_the_shop_leaves_the_page_whole(
    products: list[Product], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(product: Product) -> str:
        Product.objects.raw("SELECT nonsense FROM nowhere")[0]
        return ""

    monkeypatch.setattr(Product, "get_absolute_url", fail, raising=False)
    assert render(f"before{TAG}after", product=products[0]) == "beforeafter"
    assert len(caplog.records) == 1
    assert Product.objects.exists(), "the transaction is usable"


def test_an_error_that_lasts_is_logged_again_after_an_hour(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1000.0
    monkeypatch.setattr(quiet.time, "monotonic", lambda: now)
    for later, logged in ((0, 1), (3599, 1), (3601, 2)):
        now = 1000.0 + later
        render(TAG, product=None)
        assert len(caplog.records) == logged


HOST_SETTINGS = {"hnsw.ef_search": "77", "statement_timeout": "54321ms"}


def _settings_now() -> dict[str, str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT '[1]'::vector <=> '[2]'")  # loads the extension's settings
        found = {}
        for name in (*HOST_SETTINGS, "hnsw.iterative_scan"):
            cursor.execute(f"SHOW {name}")
            found[name] = cursor.fetchone()[0]
    return found


def _set(scope: str) -> dict[str, str]:
    with connection.cursor() as cursor:
        for name, value in HOST_SETTINGS.items():
            cursor.execute(f"SET {scope} {name} = '{value}'")
    found = _settings_now()
    assert {name: found[name] for name in HOST_SETTINGS} == HOST_SETTINGS
    return found


def _live(settings: Settings) -> None:
    """Take away the lists, so that the live search by the index answers."""
    settings.IMGREC = {**settings.IMGREC, "exact_below": 0}
    space = space_by_label("testapp.product.embedding")
    assert space is not None
    space.list_model.objects.all().delete()


def test_the_hosts_settings_stay_inside_a_transaction(
    products: list[Product], settings: Settings
) -> None:
    _live(settings)
    before = _set("LOCAL")
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_xact_id()")
        transaction = cursor.fetchone()
    assert similar_products(products[0], limit=4).way == "hnsw"
    assert len(keys(render("{% similar_products product limit=4 %}", product=products[0]))) == 4
    assert _settings_now() == before
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_xact_id()")
        assert cursor.fetchone() == transaction


@pytest.mark.django_db(transaction=True)
def test_the_hosts_settings_stay_in_autocommit(settings: Settings) -> None:
    made = [Product.objects.create(photo=upload(hue)) for hue in HUES]
    indexing.work()
    _live(settings)
    before = _set("SESSION")
    try:
        html = render("{% similar_products product limit=4 %}", product=made[0])
        assert len(keys(html)) == 4
        assert _settings_now() == before
        assert connection.get_autocommit()
        assert not connection.in_atomic_block
    finally:
        connection.close()  # the settings are the session's


@pytest.mark.django_db(transaction=True)
def test_a_failing_search_in_autocommit_leaves_settings_and_connection(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = [Product.objects.create(photo=upload(hue)) for hue in HUES]
    indexing.work()
    _live(settings)
    before = _set("SESSION")
    monkeypatch.setattr("imgrec.pool_sql.ELIGIBLE", "nonsense")
    try:
        assert render(TAG, product=made[0]) == ""
        assert _settings_now() == before
        assert Product.objects.count() == len(made)
    finally:
        connection.close()


def test_the_stylesheet_is_linked_and_exists() -> None:
    html = render("{% imgrec_styles %}")
    assert html == '<link rel="stylesheet" href="/static/imgrec/similar_products.css">'
    css = Path(str(finders.find("imgrec/similar_products.css"))).read_text()
    for name in ("grid", "card", "photo", "title", "similarity"):
        assert f".imgrec-{name}" in css
    assert "aspect-ratio" in css
    assert not re.search(r"#[0-9a-f]{3}|url\(|@import|font-family", css), "the host's own look"


def test_a_missing_stylesheet_does_not_break_the_page(
    settings: Settings, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings.STATIC_ROOT = tmp_path
    manifest = "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"
    settings.STORAGES = {**settings.STORAGES, "staticfiles": {"BACKEND": manifest}}
    assert render("{% imgrec_styles %}") == ""
    assert "Missing staticfiles manifest entry" in caplog.text
