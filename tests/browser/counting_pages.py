"""A small shop whose lists are counted: product pages with the list below the window."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template import RequestContext, Template
from django.urls import include, path

from tests.testapp.models import Product

PAGE = Template(
    "{% load imgrec %}<!doctype html><html lang=en><head><title>{{ product }}</title>"
    '<link rel="icon" href="data:,">{% imgrec_styles %}</head><body>'
    '<img src="data:," alt="" width="100" height="{{ above }}">'
    "{% if later %}{% similar_products product placement=place lazy=True %}"
    "{% else %}{% similar_products product placement=place %}{% endif %}</body></html>"
)


def page(request: HttpRequest, pk: int) -> HttpResponse:
    """One product's page, under a strict policy; ``?above=0``: its list is in the window."""
    values = {
        "product": Product.objects.get(pk=pk),
        "above": request.GET.get("above", "3000"),
        "later": "later" in request.GET,
        "place": request.GET.get("place", "product page"),
    }
    answer = HttpResponse(PAGE.render(RequestContext(request, values)))
    answer["Content-Security-Policy"] = "default-src 'self'; img-src 'self' data:"
    return answer


urlpatterns = [
    path("page/<int:pk>/", page),
    path("imgrec/", include("imgrec.urls")),
    path("admin/", admin.site.urls),
]
