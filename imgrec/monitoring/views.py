"""Addresses for probes and for Prometheus. They tell how large a shop is: keep them inside."""

from __future__ import annotations

import logging

from django.db import Error
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from imgrec.health import report
from imgrec.monitoring import metrics

logger = logging.getLogger(__name__)


@never_cache
@require_safe
def health(request: HttpRequest) -> HttpResponse:
    """Answer 200 while work goes on; 503 when it is stalled, or the database does not answer."""
    try:
        found = report()
    except Error as error:
        logger.warning("imgrec: health is unknown: %s", error)
        found = {"status": "unknown", "problems": ["the database does not answer"], "spaces": []}
    return JsonResponse(found, status=200 if found["status"] == "ok" else 503)


@never_cache
@require_safe
def exposition(request: HttpRequest) -> HttpResponse:
    """Answer with every metric, as Prometheus reads it; 404 without the extra ``metrics``."""
    if not metrics.is_installed():
        raise Http404("imgrec[metrics] is not installed.")
    from imgrec.monitoring.exposition import CONTENT_TYPE, render

    return HttpResponse(render(), content_type=CONTENT_TYPE)
