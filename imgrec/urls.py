"""Addresses of lists that load after their page, and where browsers tell of clicks on lists::

path("imgrec/", include("imgrec.urls"))
"""

from __future__ import annotations

from django.urls import path

from imgrec import views
from imgrec.earning.views import count

# Not "imgrec": that one is the API's, and a project may include both.
app_name = "imgrec_fragments"

urlpatterns = [
    path("similar/<str:token>/", views.fragment, name="similar"),
    path("similar/<str:token>/page/", views.page, name="page"),
    path("count/", count, name="count"),
]
