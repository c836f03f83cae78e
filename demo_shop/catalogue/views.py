"""The pages a visitor reads. Whatever is not published is as good as not there."""

from __future__ import annotations

from django.core.paginator import Page, Paginator
from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_safe

from demo_shop.catalogue.forms import SearchForm
from demo_shop.catalogue.models import Category, Product

PAGE_SIZE = 24
NEWEST = 8


def shown_products() -> QuerySet[Product]:
    """What a visitor may see, newest first; cards need nothing else from the database."""
    return Product.objects.filter(published=True)


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Shelves with a photo each, and what came in last."""
    newest = shown_products().exclude(photo="")
    photo = newest.filter(category=OuterRef("pk"), stock__gt=0).values("photo")[:1]
    shelves = (
        Category.objects.annotate(
            total=Count("products", filter=Q(products__published=True)), photo=Subquery(photo)
        )
        .filter(total__gt=0)
        .order_by("-total", "name")
    )
    picture_of = Product._meta.get_field("photo").storage.url
    tiles = [(shelf, picture_of(shelf.photo) if shelf.photo else "") for shelf in shelves]
    context = {
        "tiles": tiles,
        "newest": newest[1 : NEWEST + 1],
        # The opening shows the newest one that has relatives to meet.
        "featured": newest.filter(stock__gt=0).first(),
    }
    return render(request, "shop/home.html", context)


@require_safe
def catalogue(request: HttpRequest) -> HttpResponse:
    """All products, or those whose title or SKU holds every word asked for."""
    form = SearchForm(request.GET)
    words = form.cleaned_data["q"].split() if form.is_valid() else []
    found = shown_products()
    for word in words:
        found = found.filter(Q(title__icontains=word) | Q(sku__icontains=word))
    context = {"page": page_of(found, request), "query": " ".join(words)}
    return render(request, "shop/catalogue.html", context)


@require_safe
def category(request: HttpRequest, slug: str) -> HttpResponse:
    """One shelf; 404 when there is none of that name."""
    shelf = get_object_or_404(Category, slug=slug)
    found = shown_products().filter(category=shelf)
    return render(request, "shop/catalogue.html", {"page": page_of(found, request), "shelf": shelf})


@require_safe
def product(request: HttpRequest, pk: int, slug: str) -> HttpResponse:
    """One product with its look-alikes; a hidden one answers like an unknown one."""
    item = get_object_or_404(shown_products().select_related("category"), pk=pk)
    if slug != item.slug:
        return redirect(item, permanent=True)
    return render(request, "shop/product.html", {"product": item})


def page_of(products: QuerySet[Product], request: HttpRequest) -> Page:
    """The page asked for; a number that makes no sense shows the nearest one that does."""
    return Paginator(products, PAGE_SIZE).get_page(request.GET.get("page"))
