"""The shop's pages."""

from __future__ import annotations

from django.conf import settings
from django.urls import path
from django.views.generic import RedirectView

from demo_shop.catalogue import part_search, photo_search, views

app_name = "shop"
urlpatterns = [
    # Pages outside our templates, such as the admin's, let the browser ask for this one.
    path("favicon.ico", RedirectView.as_view(url=f"{settings.STATIC_URL}shop/mark.svg")),
    path("", views.home, name="home"),
    path("products/", views.catalogue, name="catalogue"),
    path("products/<int:pk>/<slug:slug>/", views.product, name="product"),
    path("products/<int:pk>/<slug:slug>/part/", part_search.more_like_a_part, name="part"),
    path("categories/<slug:slug>/", views.category, name="category"),
    path("similar-to-my-photo/", photo_search.similar_to_my_photo, name="photo-search"),
]
