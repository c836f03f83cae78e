"""The viewset behind the ready addresses."""

from __future__ import annotations

from typing import Any

from django.db import models

from imgrec.rest_framework.mixins import SimilarProductsMixin
from imgrec.rest_framework.serializers import SimilarProductSerializer


class SimilarProductsViewSet(SimilarProductsMixin):
    """Look-alikes among all products of one model that may be seen; read-only.

    Who may ask is what the project's ``DEFAULT_PERMISSION_CLASSES`` say.
    """

    model: type[models.Model] | None = None
    serializer_class = SimilarProductSerializer

    def get_queryset(self) -> models.QuerySet[Any]:
        """Return the model's products; ``visible`` and ``recommend`` are applied by the search."""
        if self.model is None:
            raise TypeError("Give the model: SimilarProductsViewSet.as_view(…, model=Product).")
        return self.model._default_manager.all()
