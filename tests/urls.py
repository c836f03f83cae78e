"""The pages of the tests' shop."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest, HttpResponseNotFound
from django.urls import include, path


def not_found(request: HttpRequest, exception: Exception) -> HttpResponseNotFound:
    """A page of its own: the demo shop's 404.html needs the demo shop's addresses."""
    return HttpResponseNotFound("not here")


handler404 = not_found
urlpatterns = [
    path("admin/", admin.site.urls),
    path("imgrec/", include("imgrec.urls")),
    path("imgrec/", include("imgrec.monitoring.urls")),
]
