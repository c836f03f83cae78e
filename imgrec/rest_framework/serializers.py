"""What the API takes and, where the shop has no serializer of its own, what it gives."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from rest_framework.serializers import FloatField, IntegerField, Serializer, ValidationError

from imgrec.cards import card_of
from imgrec.rest_framework.errors import ApiError
from imgrec.spaces import space_by_label

MOST_RESULTS = 64


class SearchOptions(Serializer[Any]):
    """``limit`` (1..64, default 8) and ``min_similarity`` (0..1) of a search."""

    limit = IntegerField(min_value=1, max_value=MOST_RESULTS, default=8)
    min_similarity = FloatField(min_value=0, max_value=1, required=False)

    def validate_min_similarity(self, value: float) -> float:
        """Refuse "nan", which is neither below 0 nor above 1."""
        if math.isnan(value):
            raise ValidationError(_("A valid number is required."), code="invalid")
        return value


def options_of(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of a search, checked.

    Raises:
        ApiError: 400, with the first thing that is wrong.
    """
    options = SearchOptions(
        data={name: given[name] for name in SearchOptions().fields & given.keys()}
    )
    if not options.is_valid():
        name, problems = next(iter(options.errors.items()))
        raise ApiError(400, problems[0].code, f"{name}: {problems[0]}")
    return dict(options.validated_data)


class SimilarProductSerializer(Serializer[Any]):
    """``pk``, ``title``, ``url`` and ``image`` of any model; the view adds ``similarity``."""

    def to_representation(self, instance: Any) -> dict[str, Any]:
        """Return a plain dict; addresses are absolute, or null when there are none."""
        card = card_of(instance, space_by_label(self.context.get("imgrec_space", "")))
        return {
            "pk": instance.pk,
            "title": card.title,
            "url": self._absolute(card.url),
            "image": self._absolute(card.photo),
        }

    def _absolute(self, address: str) -> str | None:
        request = self.context.get("request")
        if request is None:
            return address or None
        return request.build_absolute_uri(address) if address else None
