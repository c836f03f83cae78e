"""The shop's addresses: pages, photos, admin, late lists, and the API when DRF is installed."""

from __future__ import annotations

from django.apps import apps
from django.conf import settings
from django.contrib import admin
from django.templatetags.static import static
from django.urls import URLPattern, URLResolver, include, path
from django.views.generic import RedirectView

from demo_shop.catalogue.media import photo_file

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("demo_shop.catalogue.urls")),
    path("admin/", admin.site.urls),
    path("imgrec/", include("imgrec.urls")),
    # Browsers ask for it on pages that name no icon, as the admin's.
    path("favicon.ico", RedirectView.as_view(url=static("shop/mark.svg"))),
    path(f"{settings.MEDIA_URL.strip('/')}/<path:name>", photo_file, name="media"),
]
if apps.is_installed("rest_framework"):
    urlpatterns.append(path("api/", include("imgrec.rest_framework.urls")))
if apps.is_installed("drf_spectacular"):
    from drf_spectacular.views import SpectacularJSONAPIView

    urlpatterns.append(path("api/schema/", SpectacularJSONAPIView.as_view(), name="schema"))
if getattr(settings, "DEMO_CHECK", False):
    urlpatterns.append(path("check/", include("demo_shop.checking.urls")))
