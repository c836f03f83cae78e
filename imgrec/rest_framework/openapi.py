"""The API in OpenAPI, through drf-spectacular; loaded where that is installed."""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import OpenApiSerializerExtension, OpenApiViewExtension
from rest_framework.serializers import Serializer

from imgrec.rest_framework import shapes
from imgrec.rest_framework.codes import API_VERSION

ACTIONS = {"similar", "similar_to_photo"}
STATUSES = {
    "similar": (400, 401, 403, 404, 405, 406, 422, 429, 503),
    "similar_to_photo": (400, 401, 403, 404, 405, 406, 413, 415, 422, 429, 503),
}


class SimilarAnswer(Serializer[Any]):
    """Similar products, in the shop's own form; see :class:`_AnswerSchema`."""


class ApiProblem(Serializer[Any]):
    """An error; see :class:`_ProblemSchema`."""


class _OfTwoActions:
    """Laid over the schema class of a shop's viewset: its other actions stay as they are."""

    def _is_ours(self) -> bool:
        return getattr(self.view, "action", "") in ACTIONS  # type: ignore[attr-defined]

    def get_override_parameters(self) -> Any:
        if not self._is_ours():
            return super().get_override_parameters()  # type: ignore[misc]
        return shapes.parameters(self.view)  # type: ignore[attr-defined]

    def get_request_serializer(self) -> Any:
        if not self._is_ours():
            return super().get_request_serializer()  # type: ignore[misc]
        is_photo = self.view.action == "similar_to_photo"  # type: ignore[attr-defined]
        return {"multipart/form-data": shapes.FORM} if is_photo else None

    def _get_request_body(self, *args: Any, **kwargs: Any) -> Any:
        # Of a form that is no serializer, nobody else can tell that there must be one.
        body = super()._get_request_body(*args, **kwargs)  # type: ignore[misc]
        return {**body, "required": True} if body and self._is_ours() else body

    def get_response_serializers(self) -> Any:
        if not self._is_ours():
            return super().get_response_serializers()  # type: ignore[misc]
        problems = dict.fromkeys(STATUSES[self.view.action], ApiProblem)  # type: ignore[attr-defined]
        return {200: SimilarAnswer, **problems}

    def _is_list_view(self, serializer: Any = None) -> bool:
        # A list would be wrapped and paged; ours is neither.
        return not self._is_ours() and super()._is_list_view(serializer)  # type: ignore[misc]

    def get_filter_backends(self) -> Any:
        # Filters apply to the product and the results: their parameters are the shop's.
        if not self._is_ours():
            return super().get_filter_backends()  # type: ignore[misc]
        return getattr(self.view, "filter_backends", [])  # type: ignore[attr-defined]

    def get_extensions(self) -> dict[str, Any]:
        extensions: dict[str, Any] = super().get_extensions()  # type: ignore[misc]
        return {**extensions, "x-imgrec-api": API_VERSION} if self._is_ours() else extensions


class _SimilarView(OpenApiViewExtension):
    target_class = "imgrec.rest_framework.mixins.SimilarProductsMixin"
    match_subclasses = True

    def view_replacement(self) -> Any:
        target: Any = self.target
        schema = type("SimilarSchema", (_OfTwoActions, type(target.schema)), {})
        return type(target.__name__, (target,), {"schema": schema(), "__doc__": target.__doc__})


class _ProductSchema(OpenApiSerializerExtension):
    target_class = "imgrec.rest_framework.serializers.SimilarProductSerializer"

    def get_name(self, auto_schema: Any, direction: Any) -> str:
        return "SimilarProduct"

    def map_serializer(self, auto_schema: Any, direction: Any) -> dict[str, Any]:
        return shapes.PRODUCT


class _AnswerSchema(OpenApiSerializerExtension):
    target_class = "imgrec.rest_framework.openapi.SimilarAnswer"

    def get_name(self, auto_schema: Any, direction: Any) -> str:
        product = auto_schema.resolve_serializer(auto_schema.view.get_serializer(), direction)
        return f"{product.name}Answer"

    def map_serializer(self, auto_schema: Any, direction: Any) -> dict[str, Any]:
        product = auto_schema.resolve_serializer(auto_schema.view.get_serializer(), direction)
        return shapes.answer(product.ref)

    def get_identity(self, auto_schema: Any, direction: Any) -> Any:
        return type(auto_schema.view.get_serializer()), SimilarAnswer


class _ProblemSchema(OpenApiSerializerExtension):
    target_class = "imgrec.rest_framework.openapi.ApiProblem"

    def get_name(self, auto_schema: Any, direction: Any) -> str:
        return "ImgrecError"

    def map_serializer(self, auto_schema: Any, direction: Any) -> dict[str, Any]:
        return shapes.PROBLEM
