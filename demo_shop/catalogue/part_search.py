"""More like a part of a product's photo: a box over it, by dragging or by four numbers."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from demo_shop.catalogue.photo_search import UNAVAILABLE
from demo_shop.catalogue.views import shown_products
from imgrec import similar_to_part
from imgrec.errors import ImgrecError, PhotoSearchUnavailable
from imgrec.parts import asked_part

RESULTS = 12
MIDDLE = {"x": "25", "y": "25", "w": "50", "h": "50"}


@require_safe
def more_like_a_part(request: HttpRequest, pk: int, slug: str) -> HttpResponse:
    """The photo with a box to drag, and once it is sent what looks like what is inside."""
    item = get_object_or_404(shown_products().exclude(photo=""), pk=pk)
    fields = {name: request.GET.get(name, usual) for name, usual in MIDDLE.items()}
    context: dict[str, object] = {"product": item, "fields": fields}
    status = 200
    try:
        part = asked_part(request.GET)
        if part:
            context["found"] = similar_to_part(item, part, limit=RESULTS)
            context["searched"] = True
    except PhotoSearchUnavailable as error:
        context["problem"], status = UNAVAILABLE.get(str(error.code), str(error)), 503
    except (ImgrecError, ValueError) as error:
        context["problem"], status = str(error), 422
    return render(request, "shop/part.html", context, status=status)
