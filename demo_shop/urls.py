"""The shop's addresses: pages, photos, admin, and the API when DRF is installed."""

from __future__ import annotations

from django.conf import settings
from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

from demo_shop.catalogue.media import photo_file

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("demo_shop.catalogue.urls")),
    path("admin/", admin.site.urls),
    path(f"{settings.MEDIA_URL.strip('/')}/<path:name>", photo_file, name="media"),
]
if getattr(settings, "DEMO_CHECK", False):
    urlpatterns.append(path("check/", include("demo_shop.checking.urls")))
