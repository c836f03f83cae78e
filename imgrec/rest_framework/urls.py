"""Ready addresses for every model that has look-alikes: ``include("imgrec.rest_framework.urls")``.

For a ``Product`` of an app ``shop``, below the prefix it is included at::

    shop/product/<pk>/similar/           GET    name imgrec:shop-product-similar
    shop/product/similar-to-photo/       POST   name imgrec:shop-product-similar-to-photo

Each result has ``pk``, ``title``, ``url``, ``image`` and ``similarity``. What the fields'
``visible`` hides is unknown here.
"""

from __future__ import annotations

from django.db import models
from django.urls import URLPattern, path

from imgrec.rest_framework.views import SimilarProductsViewSet
from imgrec.spaces import all_spaces

app_name = "imgrec"


def _paths(model: type[models.Model]) -> list[URLPattern]:
    app, name = model._meta.app_label, model._meta.model_name
    views = SimilarProductsViewSet
    photo = {**views.similar_to_photo.kwargs, "model": model}
    return [
        path(
            f"{app}/{name}/<str:pk>/similar/",
            views.as_view({"get": "similar"}, model=model),
            name=f"{app}-{name}-similar",
        ),
        path(
            f"{app}/{name}/similar-to-photo/",
            views.as_view({"post": "similar_to_photo"}, **photo),
            name=f"{app}-{name}-similar-to-photo",
        ),
    ]


urlpatterns = [
    each
    for model in dict.fromkeys(space.item_model for space in all_spaces())
    for each in _paths(model)
]
