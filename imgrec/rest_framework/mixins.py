"""``SimilarProductsMixin``: two more actions for the shop's own viewset."""

from __future__ import annotations

import importlib
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any

from django.db import models
from django.http import Http404
from rest_framework.decorators import action
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle, ScopedRateThrottle
from rest_framework.viewsets import GenericViewSet

from imgrec import similar
from imgrec.errors import (
    NoFeatureMap,
    NoSuchPage,
    NothingSeen,
    PhotoSearchUnavailable,
    PictureError,
)
from imgrec.parts import similar_to_part
from imgrec.paths import price_of
from imgrec.rescue import rescued
from imgrec.rest_framework import errors, explanations, uploads
from imgrec.rest_framework.codes import API_VERSION, VERSION_HEADER
from imgrec.rest_framework.serializers import (
    NOT_WITH_PART,
    OF_A_PRODUCT,
    PART_OF_A_PRODUCT,
    WITH_PART,
    given_once,
    options_of,
)
from imgrec.results import SimilarProducts, rules_noted
from imgrec.served import served_space
from imgrec.spaces import space_by_label
from imgrec.visibility import visible

ACTIONS = {"similar", "similar_to_photo"}
# A rate for this scope in DEFAULT_THROTTLE_RATES limits search by photo, and nothing else.
PHOTO_SCOPE = "imgrec_photo"
# The shop's queryset may ask who is asking, by headers that a cache in between knows nothing of;
# and what was unpublished must be gone at the next view.
FOR_ONE = {"Cache-Control": "private, no-cache"}


class SimilarProductsMixin(GenericViewSet[Any]):
    """Adds ``GET {id}/similar/`` and ``POST similar-to-photo/`` to a viewset of products.

    The viewset's own queryset and filters decide which products there are, as seed and as
    result, its permissions who may ask (the POST counts as a write), its serializer how a result
    looks. Each result gets ``similarity`` (the cosine, 0..1), with ``min_match`` also ``match`` (in
    percent, or null before the space is calibrated); with several photos a product also
    ``seed_photo`` and ``matched_photo``, keys of the pair that made it. Staff see of each also
    ``steered``: "pinned" or "boosted" where a merchant's rule made its place, else null.
    """

    # Paths that visitors may group by (``?group_by=parent``), such as "parent" or "brand__name".
    similar_group_by: Sequence[str] = ()

    @action(detail=True, methods=["get"])
    def similar(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Give products that look like this one.

        ``limit`` 1..64, ``min_similarity`` 0..1, ``min_match`` 0..100, ``after``: the ``next`` of
        the page before, ``group_by``: one of ``similar_group_by``. ``price_band`` above 0: only
        what costs about as much, 0.3 is 30 % less to 30 % more. ``rescue=1``: hold to the band
        only where the product is sold out, and say so in ``is_rescue``.
        ``part=x,y,width,height``, from 0 to 1: like this part of its photo; only with ``limit`` and
        ``min_similarity``. ``why=1``, for staff (others: 403): each result says which regions of
        both photos made its similarity, or null for want of time.
        """
        if "part" in request.query_params:
            return self._like_a_part(request)
        options = self._options_of_a_product(request)
        if is_explained := options.pop("why", False):
            explanations.for_staff(request)
        is_rescue_asked = options.pop("rescue", None)
        seed = self._visible_seed()
        is_rescue, search = rescued(seed, options, rescue=bool(is_rescue_asked))
        try:
            found = similar.similar_products(seed, among=self._products(), **search)
        except NoSuchPage as error:
            raise errors.no_such_page() from error
        told = {} if is_rescue_asked is None else {"is_rescue": is_rescue}
        why = None
        if is_explained:
            why = explanations.explanations(seed, found, space_by_label(found.space))
        return self._answer(found, with_match="min_match" in options, why=why, **told)

    def _options_of_a_product(self, request: Request) -> dict[str, Any]:
        return options_of(
            given_once(request.query_params),
            names=OF_A_PRODUCT,
            group_by=self.similar_group_by,
            has_price=price_of(self.get_queryset().model) is not None,
        )

    def _like_a_part(self, request: Request) -> Response:
        for name in NOT_WITH_PART:
            if name in request.query_params:
                raise errors.not_with_part(name)
        options = options_of(given_once(request.query_params), names=PART_OF_A_PRODUCT)
        seed = self._visible_seed()
        with _answered_errors():
            found = similar_to_part(seed, among=self._products(), **options)
        return self._answer(found)

    @action(
        detail=False,
        methods=["post"],
        url_path="similar-to-photo",
        url_name="similar-to-photo",
        parser_classes=[MultiPartParser],
    )
    def similar_to_photo(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Give products that look like the picture in the multipart field ``photo``.

        ``limit``, ``min_similarity``, ``min_match`` and ``part`` may come in the address or in the
        form, each once. A worker looks at the picture; nothing of it is kept.
        """
        photo = uploads.photo_of(request)
        given = given_once(request.query_params, request.POST)
        options = options_of(given, names=WITH_PART)
        with _answered_errors():
            found = similar.similar_to_photo(photo, among=self._products(), **options)
        return self._answer(found, with_match="min_match" in options)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Look at a photo's length before authentication may read the form."""
        if self.action == "similar_to_photo":
            uploads.admit(request)
        super().initial(request, *args, **kwargs)

    def get_throttles(self) -> list[BaseThrottle]:
        """Limit what a worker may have to look at a photo for, when the project has a rate."""
        throttles = super().get_throttles()
        is_looked_at = self.action == "similar_to_photo" or (
            self.action == "similar" and {"part", "why"} & self.request.query_params.keys()
        )
        if is_looked_at and PHOTO_SCOPE in ScopedRateThrottle.THROTTLE_RATES:
            self.throttle_scope = PHOTO_SCOPE
            if not any(isinstance(each, ScopedRateThrottle) for each in throttles):
                throttles.append(ScopedRateThrottle())
        return throttles

    def handle_exception(self, exc: Exception) -> Response:
        """Give every error of our two actions a ``code``, and none a page of HTML."""
        if not self._is_ours():
            return super().handle_exception(exc)
        exc = errors.as_json(exc)
        response = super().handle_exception(exc)
        if isinstance(response.data, dict) and "detail" in response.data:
            response.data.setdefault("code", errors.code_of(exc))
        return response

    def finalize_response(
        self, request: Request, response: Response, *args: Any, **kwargs: Any
    ) -> Response:
        """Say the version of the API in every answer of our two actions, errors too."""
        if self._is_ours():
            response.headers[VERSION_HEADER] = API_VERSION
        return super().finalize_response(request, response, *args, **kwargs)

    def _is_ours(self) -> bool:
        # Of an action that is not allowed, only the map of the address tells.
        return bool(ACTIONS & set((self.action_map or {}).values()))

    def _products(self) -> models.QuerySet[Any]:
        return self.filter_queryset(self.get_queryset())

    def _visible_seed(self) -> models.Model:
        """Return the product; a hidden one answers exactly like one that does not exist."""
        try:
            seed: models.Model = self.get_object()
        except Http404 as error:
            raise errors.not_found() from error
        space = served_space(type(seed))
        itself = type(seed)._base_manager.using(seed._state.db).filter(pk=seed.pk)
        if space.visible and not visible(space, itself).exists():
            raise errors.not_found()
        return seed

    def _rules(self, product: Any) -> dict[str, Any]:
        """Return which kind of rule made a result's place; shoppers are not told."""
        is_staff = getattr(self.request.user, "is_staff", False)
        return {"steered": _named_rule(product)} if is_staff else {}

    def _answer(
        self,
        found: SimilarProducts,
        *,
        with_match: bool = False,
        why: dict[Any, dict[str, Any] | None] | None = None,
        **told: bool,
    ) -> Response:
        serializer: Any = self.get_serializer(found, many=True)
        serializer.context["imgrec_space"] = found.space
        results = [
            {
                **serializer.child.to_representation(product),
                **_findings(product),
                **({"match": product.match} if with_match else {}),
                **({} if why is None else {"why": why[product.pk]}),
                **self._rules(product),
            }
            for product in found
        ]
        return Response(
            {
                "indexed": found.indexed,
                "way": found.way,
                "space": found.space,
                **told,
                "next": found.next,
                "results": results,
            },
            headers=FOR_ONE,
        )


@contextmanager
def _answered_errors() -> Iterator[None]:
    """Turn what may go wrong with a photo, or a part of one, into answers."""
    try:
        yield
    except PictureError as error:
        raise errors.of_picture(error) from error
    except PhotoSearchUnavailable as error:
        raise errors.of_search(error) from error
    except (NoFeatureMap, NothingSeen) as error:
        raise errors.of_part(error) from error


def _named_rule(product: Any) -> str | None:
    pinned, boosted = rules_noted(product)
    return "pinned" if pinned else "boosted" if boosted else None


def _findings(product: Any) -> dict[str, Any]:
    """Return what the search says of a result; a number that JSON has no word for is 0."""
    similarity = float(product.similarity)
    noted = {"similarity": round(similarity, 6) if math.isfinite(similarity) else 0.0}
    keys = {name: getattr(product, name, None) for name in ("seed_photo", "matched_photo")}
    return noted | {name: key for name, key in keys.items() if key is not None}


if find_spec("drf_spectacular"):  # optional: the extension knows of itself once loaded
    importlib.import_module("imgrec.rest_framework.openapi")
