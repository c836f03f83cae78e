"""A shopper's photo out of a request: bounded before it is read, kept in memory, never on disk."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.files.uploadhandler import MemoryFileUploadHandler, StopUpload
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt, csrf_protect

from imgrec.conf import settings

View = Callable[..., HttpResponseBase]

# What a form may take up round the photo: boundaries, headers, other fields.
FRAMING_BYTES = 64 * 1024


def photo_upload(too_large: View) -> Callable[[View], View]:
    """Bound what a view reads of an upload, and write none of it to disk: ``@photo_upload(view)``.

    A body that says to be longer than ``max_upload_bytes`` and a form's framing is not read at
    all, files that turn out to be larger only so far; then ``too_large`` answers, with the view's
    arguments. Django's check of the CSRF token, which reads the form, comes after that.
    """

    def decorate(view: View) -> View:
        protected = csrf_protect(view)

        @csrf_exempt  # not the middleware, which would read the form first: we
        @wraps(view)
        def bounded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if is_too_long(request):
                return too_large(request, *args, **kwargs)
            keep_in_memory(request)
            bool(request.FILES)
            if is_cut_off(request):
                return too_large(request, *args, **kwargs)
            return protected(request, *args, **kwargs)

        return bounded

    return decorate


def refuse(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
    """Answer 413 with a sentence: what to give ``photo_upload`` where there is no page for it."""
    return HttpResponse(too_large_sentence(), status=413, content_type="text/plain; charset=utf-8")


def too_large_sentence() -> str:
    """Return what to tell a shopper whose photo is too large."""
    sentence = _("The photo is too large: send at most %(most)s bytes.")
    return sentence % {"most": settings.max_upload_bytes}


def most_bytes() -> int:
    """Return the longest body of a request that is read."""
    return int(settings.max_upload_bytes) + FRAMING_BYTES


def is_too_long(request: HttpRequest) -> bool:
    """Return whether the request says of itself that it is longer; reads nothing of its body."""
    length = str(request.META.get("CONTENT_LENGTH") or "0")
    return length.isdecimal() and (len(length) > 18 or int(length) > most_bytes())


def keep_in_memory(request: HttpRequest) -> None:
    """Have the form read by :class:`InMemory`, unless a middleware has read it already."""
    if not hasattr(request, "_files"):
        request.upload_handlers = [InMemory(request)]


def is_cut_off(request: HttpRequest) -> bool:
    """Return whether reading the form ended where its files became too large."""
    return any(getattr(handler, "is_cut_off", False) for handler in request.upload_handlers)


class InMemory(MemoryFileUploadHandler):
    """Django's, up to our limit; then it drops the connection rather than read on."""

    is_cut_off = False
    _taken = 0

    def handle_raw_input(
        self,
        input_data: Any,
        META: Any,  # noqa: N803 - Django's name
        content_length: int,
        boundary: Any,
        encoding: Any = None,
    ) -> None:
        """Take every body: its length is bounded before, and the files' sizes are here."""
        self.activated = True

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes | None:
        """Keep a piece of a file, as long as all files together are no larger than a photo."""
        self._taken += len(raw_data)
        if self._taken > settings.max_upload_bytes:
            self.is_cut_off = True
            raise StopUpload(connection_reset=True)
        return super().receive_data_chunk(raw_data, start)
