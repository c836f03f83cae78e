"""A shop behind gunicorn that counts what it reads: ``gunicorn tests.faults.serving``.

Its pages tell, for the port a client came from, how many bytes were received from its socket, and
which files the process has opened for writing since it told last.
"""

from __future__ import annotations

import os
import sys
from collections import Counter
from typing import Any

import django
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template import engines
from django.urls import include, path
from gunicorn.http.unreader import SocketUnreader

received: Counter[int] = Counter()
written: list[str] = []
_receive = SocketUnreader.chunk


def _count(self: Any, *args: Any, **kwargs: Any) -> bytes:
    data: bytes = _receive(self, *args, **kwargs)
    try:
        received[self.sock.getpeername()[1]] += len(data)
    except OSError:
        received[0] += len(data)
    return data


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "open" and isinstance(arguments[2], int):
        name, _mode, flags = arguments
        if flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT) and str(name) != os.devnull:
            written.append(str(name))


SocketUnreader.chunk = _count
settings.ROOT_URLCONF = __name__
settings.REST_FRAMEWORK = {
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_THROTTLE_RATES": {"imgrec_photo": "5/minute"},
}
django.setup()

from imgrec import similar_to_photo  # noqa: E402
from imgrec.errors import PhotoSearchUnavailable, PictureError  # noqa: E402
from imgrec.uploads import photo_upload, refuse  # noqa: E402
from tests.testapp.models import Product, TwoSpaces  # noqa: E402


@photo_upload(refuse)
def guarded(request: HttpRequest) -> HttpResponse:
    """A page of the shop's own, as the README tells to write it."""
    try:
        found = similar_to_photo(request.FILES["photo"], model=Product)
    except (PictureError, PhotoSearchUnavailable) as error:
        return JsonResponse({"code": error.code}, status=422)
    return JsonResponse({"found": len(found)})


def bare(request: HttpRequest) -> HttpResponse:
    """The same without: the CSRF middleware reads the form, as far as it goes."""
    return JsonResponse({"found": len(request.FILES)})


def product(request: HttpRequest, key: int) -> HttpResponse:
    return _page_of(request, Product.objects.get(pk=key))


def two(request: HttpRequest, key: int) -> HttpResponse:
    return _page_of(request, TwoSpaces.objects.get(pk=key))


def _page_of(request: HttpRequest, found: Product | TwoSpaces) -> HttpResponse:
    page = engines["django"].from_string("{% load imgrec %}{% similar_products product limit=8 %}")
    return HttpResponse(page.render({"product": found}, request))


def seen(request: HttpRequest, port: int) -> HttpResponse:
    """Tell it once: the next client may come from the same port."""
    told = {"received": received.pop(port, 0), "written": [*written]}
    written.clear()
    return JsonResponse(told)


urlpatterns = [
    path("api/", include("imgrec.rest_framework.urls")),
    path("guarded/", guarded),
    path("bare/", bare),
    path("product/<int:key>/", product),
    path("two/<int:key>/", two),
    path("seen/<int:port>/", seen),
]
application = get_wsgi_application()
sys.addaudithook(_watch)
