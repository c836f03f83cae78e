"""Pages that look inside the web process; part of the shop only under ``--check``."""

from __future__ import annotations

from django.urls import path

from demo_shop.checking import inside

urlpatterns = [
    path("state/", inside.state),
    path("queries/<int:pk>/", inside.queries),
]
