"""What only the web process itself can tell: loaded modules, statements, states."""

from __future__ import annotations

import sys
from typing import Any

from django.db import connection
from django.db.models import Count
from django.http import HttpRequest, JsonResponse
from django.shortcuts import get_object_or_404
from django.template.loader import render_to_string
from django.views.decorators.http import require_safe

from demo_shop.catalogue.models import Product
from imgrec import similar_products
from imgrec.jobs import open_jobs
from imgrec.models import EmbeddingJob
from imgrec.served import served_space
from imgrec.states import count_states


@require_safe
def state(request: HttpRequest) -> JsonResponse:
    """States of the served space, reasons of failures, work in hand, and whether torch is in."""
    space = served_space(Product)
    failed = EmbeddingJob.objects.filter(space=space.label, state=EmbeddingJob.State.FAILED)
    reasons = failed.order_by().values_list("reason").annotate(Count("id"))
    answer = {
        "products": Product.objects.count(),
        "space": space.label,
        "encoder": space.embedder.name,
        "version": space.embedder.version,
        "states": count_states(space),
        "failures": dict(reasons),
        "open_jobs": open_jobs(space).count(),
        "leased": open_jobs(space).filter(state=EmbeddingJob.State.LEASED).count(),
        "torch_loaded": "torch" in sys.modules,
    }
    return JsonResponse(answer)


@require_safe
def queries(request: HttpRequest, pk: int) -> JsonResponse:
    """How many statements the similar block of one product's page makes, and on which way."""
    product = get_object_or_404(Product, pk=pk)
    way = similar_products(product, limit=8).way
    statements: list[str] = []

    def count(execute: Any, sql: str, params: Any, many: Any, context: Any) -> Any:
        statements.append(sql.lstrip("( ").split(maxsplit=1)[0].upper())  # a union opens with "("
        return execute(sql, params, many, context)

    with connection.execute_wrapper(count):
        render_to_string("shop/_similar.html", {"product": product}, request)
    selects = statements.count("SELECT")
    return JsonResponse({"way": way, "selects": selects, "others": len(statements) - selects})
