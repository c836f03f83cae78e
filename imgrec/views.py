"""The list of similar products on its own: for a page that loads it late, or without scripts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from hashlib import sha256

from django.core.signing import BadSignature
from django.db import models, router
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template import Engine, RequestContext
from django.utils import translation
from django.utils.cache import get_conditional_response, patch_cache_control
from django.utils.safestring import SafeString
from django.views.decorators.http import require_safe

from imgrec import similar
from imgrec.cards import link_of
from imgrec.earning.marking import NOT_COUNTED, Marking, marking
from imgrec.fragments import Fragment
from imgrec.quiet import quietly
from imgrec.rescue import rescued
from imgrec.showing import TEMPLATE, heading, list_values

PAGE_TEMPLATE = "imgrec/similar_products_page.html"


@require_safe
def fragment(request: HttpRequest, token: str) -> HttpResponseBase:
    """Answer with what ``{% similar_products %}`` would have rendered.

    A product that is hidden, unknown or without look-alikes: 200 with nothing in it, each like
    the others. An error of ours: 204, logged. A token that we did not sign: 404.
    """

    def html(asked: Fragment) -> SafeString:
        marked = marking(asked.product_model, asked.placement)
        return _list(request, asked, marked)[1]

    return _answer(request, token, html)


@require_safe
def page(request: HttpRequest, token: str) -> HttpResponseBase:
    """Answer with a page of the list alone, where browsers without scripts are sent."""
    return _answer(request, token, partial(_page, request))


def _answer(
    request: HttpRequest, token: str, html_of: Callable[[Fragment], str]
) -> HttpResponseBase:
    asked = _asked(token)
    model = asked.product_model

    def html() -> str:
        with translation.override(asked.language or translation.get_language()):
            return html_of(asked)

    body = quietly(html, None, using=partial(router.db_for_read, model), about=asked.key)
    if body is None:
        return HttpResponse(status=204, headers={"Cache-Control": "no-store"})
    response = HttpResponse(body)
    if asked.language:
        response["Content-Language"] = asked.language
    response["X-Robots-Tag"] = "noindex"
    # The shop's own template may show what is for one shopper only, and what was unpublished
    # must be gone at the next view: the browser keeps it and asks each time whether it holds.
    patch_cache_control(response, private=True, no_cache=True)
    response["ETag"] = etag = f'"{sha256(response.content).hexdigest()[:32]}"'
    return get_conditional_response(request, etag=etag, response=response) or response


def _asked(token: str) -> Fragment:
    try:
        asked = Fragment.read(token)
        asked.product_model  # noqa: B018 - it may have gone since
    except (BadSignature, LookupError) as error:
        raise Http404("No such list of similar products.") from error
    return asked


def _list(
    request: HttpRequest, asked: Fragment, marked: Marking
) -> tuple[models.Model | None, SafeString]:
    """Return the product and its list; None and nothing for a product without one."""
    nothing = None, SafeString("")
    seed = asked.seed()
    if seed is None:
        return nothing
    is_rescue, search = rescued(seed, asked.search, rescue=asked.rescue)
    found = similar.similar_products(seed, **search, **marked.search)
    if not found:
        return nothing
    look = {
        "show_similarity": asked.show_similarity,
        "show_match": asked.show_match,
        "show_why": asked.show_why,
        "is_rescue": is_rescue,
    }
    values = list_values(seed, found, asked.title, **look)
    values["counting"] = marked.attributes(found)
    return seed, _rendered(request, TEMPLATE, values)


def _page(request: HttpRequest, asked: Fragment) -> SafeString:
    # Without scripts nobody would tell of it.
    seed, html = _list(request, asked, NOT_COUNTED)
    back = link_of(seed) if seed else ""
    values = {"similar": html, "title": heading(asked.title), "seed": seed, "back": back}
    return _rendered(request, PAGE_TEMPLATE, values)


def _rendered(request: HttpRequest, name: str, values: Mapping[str, object]) -> SafeString:
    return Engine.get_default().get_template(name).render(RequestContext(request, dict(values)))
