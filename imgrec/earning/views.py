"""Where a browser tells what became of a list. It says nothing back, whatever it was told."""

from __future__ import annotations

import json
import re
from typing import Any

from django.core.signing import BadSignature
from django.db import Error, router, transaction
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from imgrec.conf import settings
from imgrec.earning import counting, visits
from imgrec.earning.counting import Told
from imgrec.earning.tables import ListCount
from imgrec.earning.tokens import Token
from imgrec.guest import guarded
from imgrec.quiet import log_once

MOST_BYTES = 1024
_VIEW = re.compile(r"[0-9a-f]{16}")


# Exempt, for a beacon has no CSRF token: the signed one of the list stands in for it, and no
# cookie is looked at.
@csrf_exempt
@never_cache
@require_POST
@transaction.non_atomic_requests
def count(request: HttpRequest) -> HttpResponse:
    """Count what was told of a list, if it is to be counted. 204 in any case."""
    if settings.count_clicks and not visits.is_left_out(request.headers):
        _count(request)
    return HttpResponse(status=204)


def _count(request: HttpRequest) -> None:
    try:
        token, told = _read(_body(request))
        with guarded(router.db_for_write(ListCount)):
            counting.count(token, told)
    except (BadSignature, ValueError, TypeError, KeyError, RecursionError, UnreadablePostError):
        return  # not what our script sends
    except Error as error:
        log_once(error, "", "imgrec: clicks are not counted: %s")


def _body(request: HttpRequest) -> bytes:
    """Return what was sent, but never more than is of use; raises ``ValueError``."""
    if int(request.headers.get("Content-Length") or 0) > MOST_BYTES:
        raise ValueError("more than a list has to tell")
    body = request.read(MOST_BYTES + 1)
    if len(body) > MOST_BYTES:
        raise ValueError("more than a list has to tell")
    return body


def _read(body: bytes) -> tuple[Token, Told]:
    """Return what a body tells; raises what shows that it is none of ours."""
    said: dict[str, Any] = json.loads(body)
    token = Token.read(said["token"])
    if not _VIEW.fullmatch(said["view"]) or type(said["seen"]) is not bool:
        raise ValueError("no view of a page")
    cards = frozenset(said["cards"])
    if not all(type(card) is int and 0 <= card < token.cards for card in cards):
        raise ValueError("a card that is not there")
    # 64 bits of chance; a column of PostgreSQL's holds 63 and a sign.
    return token, Told(int(said["view"], 16) >> 1, said["seen"], cards)
