"""The addresses that lists are loaded from after their page."""

from __future__ import annotations

from django.urls import include, path

urlpatterns = [path("imgrec/", include("imgrec.urls"))]
