"""What goes in and out, as JSON schemas; their bounds are those of the serializers."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiParameter

from imgrec.rest_framework.codes import API_VERSION, CODES, VERSION_HEADER
from imgrec.rest_framework.serializers import LONGEST_TOKEN, MOST_RESULTS

Shape = dict[str, Any]


def _number(low: float, high: float) -> Shape:
    return {"type": "number", "minimum": low, "maximum": high}


def _text(**more: Any) -> Shape:
    return {"type": "string", **more}


def _object(optional: tuple[str, ...] = (), **properties: Shape) -> Shape:
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": properties, "required": required}


KEY: Shape = {"oneOf": [{"type": "integer"}, {"type": "string"}]}
SHARE = _number(0, 1)
SHARES = {"type": "array", "items": {"type": "number"}}
LIMIT = {"type": "integer", "minimum": 1, "maximum": MOST_RESULTS, "default": 8}
PART = _text(
    maxLength=100,
    description="Left, top, width and height of a part of the photo, from 0 to 1: 0.1,0.2,0.5,0.5.",
)
BASIC: dict[str, Shape] = {
    "limit": LIMIT,
    "min_similarity": {**SHARE, "description": "Nothing less similar than this cosine."},
    "min_match": {**_number(0, 100), "description": "Nothing that matches less, in percent."},
}
OF_A_PRODUCT: dict[str, Shape] = {
    "after": _text(minLength=1, maxLength=LONGEST_TOKEN, description="`next` of the page before."),
    "price_band": {
        "type": "number",
        "minimum": 0,
        "exclusiveMinimum": True,
        "description": "What costs about as much: 0.3 is 30 % less to 30 % more.",
    },
    "rescue": {
        "type": "boolean",
        "description": "Hold to price_band only where the product is sold out; see is_rescue.",
    },
    "why": {"type": "boolean", "description": "Explain each result; for staff."},
}
FORM: Shape = {
    "type": "object",
    "properties": {"photo": _text(format="binary"), **BASIC, "part": PART},
    "required": ["photo"],
}
PRODUCT = _object(
    pk=KEY,
    title=_text(),
    url=_text(nullable=True),
    image=_text(nullable=True),
)
PROBLEM = _object(
    detail=_text(description="A sentence for people, translated."),
    code=_text(description="A word for programs. Known: " + ", ".join(CODES) + "."),
)
REGION = _object(place=_text(), share={"type": "number"}, area={"type": "number"})
PHOTO = _object(
    key={**KEY, "nullable": True},
    seen=SHARES,
    cells={"type": "array", "items": SHARES},
    regions={"type": "array", "items": REGION},
)
WHY = _object(
    similarity={"type": "number"},
    rank={"type": "integer", "nullable": True},
    cosine={"type": "number"},
    distance={"type": "number"},
    is_fitted={"type": "boolean"},
    seed_photo=PHOTO,
    matched_photo=PHOTO,
)
FOUND = _object(
    ("match", "seed_photo", "matched_photo", "steered", "why"),
    similarity=SHARE,
    match={**_number(0, 100), "nullable": True},
    seed_photo=KEY,
    matched_photo=KEY,
    steered=_text(enum=["pinned", "boosted", None], nullable=True),
    why={**WHY, "nullable": True},
)


def answer(product: Shape) -> Shape:
    """Return the shape of an answer whose products look like this, with what the search adds."""
    return _object(
        ("is_rescue",),
        indexed={"type": "boolean"},
        way=_text(),
        space=_text(),
        is_rescue={"type": "boolean"},
        next=_text(nullable=True),
        results={"type": "array", "items": {"allOf": [product, FOUND]}},
    )


def version() -> OpenApiParameter:
    """Return the header that every answer has."""
    return OpenApiParameter(
        VERSION_HEADER,
        _text(enum=[API_VERSION]),
        OpenApiParameter.HEADER,
        required=True,
        description="The version of the API.",
        response=True,
    )


def parameters(view: Any) -> list[OpenApiParameter]:
    """Return the query parameters of the action a view is at, and the header of its answers."""
    named: dict[str, Shape] = {**BASIC, "part": PART}
    if view.action == "similar":
        named |= OF_A_PRODUCT
        if view.similar_group_by:
            named["group_by"] = _text(enum=list(view.similar_group_by))
    asked = [
        OpenApiParameter(name, shape, description=shape.get("description", ""))
        for name, shape in named.items()
    ]
    return [*asked, version()]
