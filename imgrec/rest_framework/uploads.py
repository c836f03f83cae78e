"""A shopper's photo out of a request: bounded before it is read, kept in memory, never on disk."""

from __future__ import annotations

from typing import Any

from django.core.files.uploadhandler import MemoryFileUploadHandler
from django.utils.translation import gettext as _
from rest_framework.request import Request

from imgrec import photo_queries
from imgrec.conf import settings
from imgrec.errors import PhotoSearchUnavailable
from imgrec.rest_framework import errors

# What a form may take up round the photo: boundaries, headers, other fields.
FRAMING_BYTES = 64 * 1024


def most_bytes() -> int:
    """Return the longest body of a request that is read."""
    return int(settings.max_upload_bytes) + FRAMING_BYTES


class InMemory(MemoryFileUploadHandler):
    """Django's, up to our limit: shoppers' photos do not end as temporary files."""

    def handle_raw_input(
        self,
        input_data: Any,
        META: Any,  # noqa: N803 - Django's name
        content_length: int,
        boundary: Any,
        encoding: Any = None,
    ) -> None:
        """Take every body that :func:`admit` let pass."""
        self.activated = content_length <= most_bytes()


def admit(request: Request) -> None:
    """Refuse a photo by what the request says of itself, before anybody reads its body.

    Authentication by session would: it looks for the CSRF token in the form.
    """
    if not photo_queries.is_on():
        raise errors.of_search(PhotoSearchUnavailable("off"))
    length = str(request.META.get("CONTENT_LENGTH") or "0")
    if length.isdecimal() and int(length) > most_bytes():
        raise errors.too_large()
    http = request._request
    if not hasattr(http, "_files"):  # else a middleware has read the form already
        http.upload_handlers = [InMemory(http)]


def photo_of(request: Request) -> bytes:
    """Return the photo's bytes: at most one more than allowed, so that the excess is seen."""
    photo = request.FILES.get("photo")
    if photo is None:
        sentence = _("Send the picture as a file, in a multipart field named “photo”.")
        raise errors.ApiError(400, "required", sentence)
    return bytes(photo.read(settings.max_upload_bytes + 1))
