"""``lazy=True``: the place in the page, and the address the list comes from."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from django.contrib.staticfiles import finders
from django.core.signing import Signer
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.template import Context, Engine, Template, TemplateSyntaxError
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.utils import translation
from django.utils.safestring import SafeString
from pytest_django import Settings

from imgrec import calibrating, indexing, quiet
from imgrec.fragments import Fragment
from imgrec.served import served_space
from tests.pictures import upload
from tests.shapes import SHAPES, Shape
from tests.testapp.models import Artwork, Product, Tag

pytestmark = pytest.mark.django_db

LAZY = "{% similar_products product lazy=True %}"
HUES = [0.0, 0.02, 0.31, 0.33, 0.66]


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


def address(html: str) -> str:
    """Return where the place in this page gets its list from."""
    (found,) = re.findall(r'data-imgrec-lazy="([^"]+)"', html)
    return unescape(found)


def address_of(product: Product, **options: Any) -> str:
    """Return the address of a product's fragment, hidden or not."""
    asked = Fragment.of(product, {"limit": 8, **options}, title="", show_similarity=False)
    return f"/imgrec/similar/{asked.token}/"


@pytest.mark.parametrize(
    "options",
    [
        "",
        "limit=2",
        "min_similarity=0.5",
        'group_by="title"',
        "fold=0.99",
        "limit=2 diversity=0.5",
        "show_similarity=True",
        "show_match=True",
        "min_match=10 show_match=True",
        'title="You & me"',
        'limit=1 min_similarity=0.0 show_similarity=True title="Größe 😀"',
    ],
)
def test_the_fragment_is_what_the_tag_renders(
    products: list[Product], client: Client, options: str
) -> None:
    calibrating.calibrate(served_space(Product))
    place = render("{% similar_products product lazy=True " + options + " %}", product=products[0])
    eager = render("{% similar_products product " + options + " %}", product=products[0])
    assert "imgrec-card" in eager
    assert client.get(address(place)).text == eager


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
def test_every_shape_of_shop_has_fragments(shape: Shape, client: Client) -> None:
    made = [shape.make(hue) for hue in HUES]
    indexing.work()
    eager = render("{% similar_products product %}", product=made[0])
    assert eager.count('class="imgrec-card"') == 4
    assert client.get(address(render(LAZY, product=made[0]))).text == eager


def test_the_place_costs_no_query(products: list[Product]) -> None:
    with CaptureQueriesContext(connection) as captured:
        assert "data-imgrec-lazy" in render(LAZY, product=products[0])
    assert len(captured) == 0


def test_the_fragment_costs_the_product_and_the_list(
    products: list[Product], client: Client
) -> None:
    url = address(render(LAZY, product=products[0]))
    with CaptureQueriesContext(connection) as captured:
        assert client.get(url).status_code == 200
    reads = [query["sql"] for query in captured if "SAVEPOINT" not in query["sql"]]
    assert len(reads) == 2


def test_the_place_is_as_large_as_the_list_and_has_a_link(products: list[Product]) -> None:
    html = render("{% similar_products product limit=5 lazy=True %}", product=products[0])
    assert html.count('<li class="imgrec-card">') == 5
    assert '<div class="imgrec-empty" aria-hidden="true"><ul class="imgrec-grid">' in html
    assert f'<a class="imgrec-later" href="{address(html)}page/"' in html
    assert ">Similar products</h2>" in html
    html = render("{% similar_products product limit=900 lazy=True %}", product=products[0])
    assert html.count('<li class="imgrec-card">') == 24


def test_the_place_has_nothing_a_strict_policy_forbids(products: list[Product]) -> None:
    html = render(LAZY, product=products[0])
    assert re.findall(r"<script[^>]*>", html) == ['<script src="/static/imgrec/lazy.js" defer>']
    assert not re.search(r"\son\w+=|\sstyle=|javascript:", html)
    script = Path(str(finders.find("imgrec/lazy.js"))).read_text()
    assert "data-imgrec-lazy" in script
    assert not re.search(r"innerHTML|eval|insertAdjacentHTML|parseFromString|\.style", script)


@pytest.mark.parametrize("carrier", ["context", "request"])
def test_the_script_has_the_pages_nonce(products: list[Product], carrier: str) -> None:
    request = HttpRequest()
    request.csp_nonce = "r4nd0m"  # type: ignore[attr-defined]
    values = {"csp_nonce": "r4nd0m"} if carrier == "context" else {"request": request}
    assert ' nonce="r4nd0m" defer>' in render(LAZY, product=products[0], **values)


def test_the_address_stays_from_view_to_view(products: list[Product]) -> None:
    assert render(LAZY, product=products[0]) == render(LAZY, product=products[0])


def test_a_tampered_address_is_unknown(products: list[Product], client: Client) -> None:
    url = address_of(products[0])
    token = url.split("/")[3]
    other = Signer(salt="elsewhere").sign_object({"model": "testapp.product", "key": "1"})
    short = Signer(salt="imgrec.fragments").sign_object({"model": "testapp.product"})
    for forged in (f"x{token}", token[:-1], token.partition(":")[0], "1", other, short):
        for end in ("", "page/"):
            assert client.get(f"/imgrec/similar/{forged}/{end}").status_code == 404, forged
    assert client.get(url).status_code == 200


def test_a_model_that_went_is_unknown(client: Client) -> None:
    asked = Fragment("shop.formerly", "1", {"limit": 8}, SafeString(""), False, "en")
    assert client.get(f"/imgrec/similar/{asked.token}/").status_code == 404


def test_a_title_of_the_shoppers_is_escaped(products: list[Product], client: Client) -> None:
    text = "{% similar_products product title=words lazy=lazy %}"
    place = render(text, product=products[0], words="<b>&", lazy=True)
    eager = render(text, product=products[0], words="<b>&", lazy=False)
    assert ">&lt;b&gt;&amp;</h2>" in eager
    assert ">&lt;b&gt;&amp;</h2>" in place
    assert client.get(address(place)).text == eager


@pytest.mark.parametrize("end", ["", "page/"])
def test_hidden_unknown_and_without_look_alikes_answer_alike(
    products: list[Product], client: Client, end: str
) -> None:
    Product.objects.filter(pk=products[0].pk).update(published=False, title="Secret")
    new = Product.objects.create(title="New")
    gone = Product.objects.create(title="Gone")
    urls = [address_of(each) + end for each in (products[0], new, gone)]
    gone.delete()
    answers = [client.get(url) for url in urls]
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    assert len({tuple(sorted(answer.headers.items())) for answer in answers}) == 1
    assert "Secret" not in answers[0].text
    assert end or answers[0].content == b""


def test_what_was_hidden_is_gone_from_the_fragment_at_once(
    products: list[Product], client: Client
) -> None:
    url = address(render(LAZY, product=products[0]))
    before = client.get(url)
    Product.objects.filter(pk=products[1].pk).update(published=False)
    after = client.get(url, headers={"If-None-Match": before["ETag"]})
    assert f'data-pk="{products[1].pk}"' in before.text
    assert (after.status_code, f'data-pk="{products[1].pk}"' in after.text) == (200, False)


def test_a_browser_that_has_it_is_told_so(products: list[Product], client: Client) -> None:
    url = address(render(LAZY, product=products[0]))
    first = client.get(url)
    again = client.get(url, headers={"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again["ETag"] == first["ETag"]
    assert again["Cache-Control"] == first["Cache-Control"] == "private, no-cache"
    assert first["X-Robots-Tag"] == "noindex"


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_it_only_answers_who_reads(products: list[Product], client: Client, method: str) -> None:
    url = address_of(products[0])
    assert getattr(client, method)(url).status_code == 405
    assert client.head(url).status_code == 200


def test_an_error_of_ours_is_no_content_and_logged(
    products: list[Product], client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    url = address_of(products[0])
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE testapp_productembeddinglist RENAME TO elsewhere")
    for end in ("", "page/"):
        answer = client.get(url + end)
        assert (answer.status_code, answer.content) == (204, b"")
        assert answer["Cache-Control"] == "no-store"
    assert len([each for each in caplog.records if each.name == "imgrec.quiet"]) == 1
    assert Product.objects.count() == len(products), "the transaction is usable"


def test_the_fragment_speaks_the_language_of_its_page(
    products: list[Product], client: Client
) -> None:
    with translation.override("de"):
        url = address(render(LAZY, product=products[0]))
    answer = client.get(url, headers={"Accept-Language": "fr"})
    assert answer["Content-Language"] == "de"
    assert url != address(render(LAZY, product=products[0]))
    assert translation.get_language() == "en-us"


def test_the_shops_own_template_has_the_request(
    products: list[Product], settings: Settings, tmp_path: Path, client: Client
) -> None:
    (tmp_path / "imgrec").mkdir()
    (tmp_path / "imgrec" / "similar_products.html").write_text(
        "{{ user.is_anonymous }} {{ request.path }} {{ seed.pk }} {{ cards|length }}"
    )
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": [str(tmp_path)]}]
    url = address_of(products[0])
    assert client.get(url).text == f"True {url} {products[0].pk} 4"


def test_without_scripts_there_is_a_page_that_leads_back(
    products: list[Product], client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Product, "get_absolute_url", lambda p: f"/p/{p.pk}", raising=False)
    place = render(LAZY, product=products[0])
    html = client.get(f"{address(place)}page/").text
    assert render("{% similar_products product %}", product=products[0]) in html
    assert f'<h1><a href="/p/{products[0].pk}">Chair 0</a></h1>' in html
    assert "similar_products.css" in html


AMONG = "{% similar_products product among=rows limit=1 lazy=True %}"


def test_a_queryset_cannot_wait_and_comes_with_the_page(
    products: list[Product], caplog: pytest.LogCaptureFixture
) -> None:
    html = render(AMONG, product=products[0], rows=Product.objects.filter(pk=products[4].pk))
    assert re.findall(r'data-pk="(\d+)"', html) == [str(products[4].pk)]
    assert "Leave out lazy=True" in caplog.text


def test_a_queryset_that_cannot_wait_is_told_the_developer(products: list[Product]) -> None:
    engine = Engine(libraries={"imgrec": "imgrec.templatetags.imgrec"}, debug=True)
    page = engine.from_string("{% load imgrec %}" + AMONG)
    with pytest.raises(TemplateSyntaxError, match=r"Leave out lazy=True .* recommend="):
        page.render(Context({"product": products[0], "rows": Product.objects.all()}))


def test_without_the_address_it_comes_with_the_page(
    products: list[Product], settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.ROOT_URLCONF = "tests.integration.test_lazy_tag"
    html = render(LAZY, product=products[0])
    assert html == render("{% similar_products product %}", product=products[0])
    assert 'include("imgrec.urls")' in caplog.text


urlpatterns: list[Any] = []  # a project that has not included ours


@pytest.mark.parametrize("limit", [0, -1])
def test_nothing_to_wait_for_is_no_place(products: list[Product], limit: int) -> None:
    text = "{% similar_products product limit=limit lazy=True %}"
    assert render(text, product=products[0], limit=limit) == ""
    assert render(LAZY, product=Product()) == ""


@pytest.mark.parametrize("product", [None, "", Tag(pk=1)])
def test_a_mistake_is_logged_not_shown(product: Any, caplog: pytest.LogCaptureFixture) -> None:
    assert render(f"before{LAZY}after", product=product) == "beforeafter"
    assert caplog.records


def test_the_address_does_not_depend_on_the_seed_being_loaded_in_full() -> None:
    one = Artwork.objects.create(title="One")
    thin = Artwork.objects.only("pk").get()
    assert address_of(one) == address_of(thin)  # type: ignore[arg-type]


def test_a_host_may_wrap_the_view(products: list[Product], rf: RequestFactory) -> None:
    from django.views.decorators.cache import cache_control

    from imgrec.views import fragment

    token = address_of(products[0]).split("/")[3]
    wrapped = cache_control(max_age=60)(fragment)
    answer = wrapped(rf.get("/"), token=token)
    assert isinstance(answer, HttpResponse)
    assert "max-age=60" in answer["Cache-Control"]
