"""Addresses for monitors: ``path("imgrec/", include("imgrec.monitoring.urls"))``."""

from __future__ import annotations

from django.urls import path

from imgrec.monitoring import views

app_name = "imgrec_monitoring"

urlpatterns = [
    path("health/", views.health, name="health"),
    path("metrics/", views.exposition, name="metrics"),
]
