"""What the API takes and, where the shop has no serializer of its own, what it gives."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from django.http import QueryDict
from django.utils.translation import gettext as _
from rest_framework.serializers import (
    BooleanField,
    CharField,
    FloatField,
    IntegerField,
    Serializer,
    ValidationError,
)

from imgrec.boxes import Box
from imgrec.cards import card_of
from imgrec.rest_framework.errors import ApiError
from imgrec.spaces import space_by_label

MOST_RESULTS = 64
# A token grows where groups are folded, by the products shown; an address holds about 8,000.
LONGEST_TOKEN = 6_000
BASIC = ("limit", "min_similarity", "min_match")
OF_A_PRODUCT = (*BASIC, "after", "group_by", "price_band", "rescue", "why")
WITH_PART = (*BASIC, "part")
PART_OF_A_PRODUCT = ("limit", "min_similarity", "part")
OPTIONS = {*OF_A_PRODUCT, *WITH_PART}  # a shop's filters may have others, and those twice
NOT_WITH_PART = [name for name in OF_A_PRODUCT if name not in PART_OF_A_PRODUCT]


class SearchOptions(Serializer[Any]):
    """``limit`` (1..64, default 8), ``min_similarity`` (0..1) and ``min_match`` (0..100, percent).

    For look-alikes of a product also ``after``, the ``next`` of the page before, and
    ``group_by``, one of the paths in the context, ``price_band`` (above 0; 0.3 is 30 % less to
    30 % more), ``rescue`` and ``why`` (true or false). ``part``: left, top, width and height of
    a part of the photo, from 0 to 1, as in ``0.1,0.2,0.5,0.5``.
    """

    limit = IntegerField(min_value=1, max_value=MOST_RESULTS, default=8)
    min_similarity = FloatField(min_value=0, max_value=1, required=False)
    min_match = FloatField(min_value=0, max_value=100, required=False)

    after = CharField(max_length=LONGEST_TOKEN, required=False)
    group_by = CharField(max_length=200, required=False)
    price_band = FloatField(required=False)
    rescue = BooleanField(required=False)
    why = BooleanField(required=False)

    part = CharField(max_length=100, required=False)

    def validate_part(self, value: str) -> tuple[float, float, float, float]:
        """Return the four numbers."""
        try:
            box = Box.parse(value)
        except ValueError as error:
            raise ValidationError(str(error), code="invalid") from error
        return box.left, box.top, box.width, box.height

    def validate_group_by(self, value: str) -> str:
        """Allow what the shop's view names."""
        if value not in self.context["group_by"]:
            raise ValidationError(_("This cannot be grouped by."), code="invalid_choice")
        return value

    def validate_min_similarity(self, value: float) -> float:
        """Refuse "nan", which is neither below 0 nor above 1."""
        if math.isnan(value):
            raise ValidationError(_("A valid number is required."), code="invalid")
        return value

    validate_min_match = validate_min_similarity

    def validate_price_band(self, value: float) -> float:
        """Refuse what is no band, and any band where prices are not known."""
        if not math.isfinite(value):
            raise ValidationError(_("A valid number is required."), code="invalid")
        if value <= 0:
            raise ValidationError(_("This must be above 0."), code="min_value")
        if not self.context["has_price"]:
            raise ValidationError(_("This shop does not tell its prices."), code="no_price")
        return value


def options_of(
    given: Mapping[str, Any],
    *,
    names: Iterable[str] = BASIC,
    group_by: Collection[str] = (),
    has_price: bool = False,
) -> dict[str, Any]:
    """Return the options of a search by these names, checked.

    ``group_by``: the paths it may be grouped by; ``has_price``: whether prices are known.

    Raises:
        ApiError: 400, with the first thing that is wrong.
    """
    options = SearchOptions(
        data={name: given[name] for name in {*names} & given.keys()},
        context={"group_by": group_by, "has_price": has_price},
    )
    if not options.is_valid():
        name, problems = next(iter(options.errors.items()))
        raise ApiError(400, problems[0].code, f"{name}: {problems[0]}")
    return dict(options.validated_data)


def given_once(*places: QueryDict) -> dict[str, Any]:
    """Return what the address and the form of a request give.

    Raises:
        ApiError: 400, where a name is given twice: which of the two is meant, nobody can tell.
    """
    given: dict[str, Any] = {}
    for place in places:
        for name, values in place.lists():
            if name in OPTIONS and (name in given or len(values) > 1):
                sentence = _("%(option)s: given more than once.") % {"option": name}
                raise ApiError(400, "invalid", sentence)
        given |= place.dict()
    return given


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
