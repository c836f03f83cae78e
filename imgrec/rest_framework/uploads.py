"""A shopper's photo out of a request to the API."""

from __future__ import annotations

from django.utils.translation import gettext as _
from rest_framework.request import Request

from imgrec import photo_queries, uploads
from imgrec.conf import settings
from imgrec.errors import PhotoSearchUnavailable
from imgrec.rest_framework import errors


def admit(request: Request) -> None:
    """Refuse a photo by what the request says of itself, before anybody reads its body.

    Authentication by session would: it looks for the CSRF token in the form.
    """
    if not photo_queries.is_on():
        raise errors.of_search(PhotoSearchUnavailable("off"))
    if uploads.is_too_long(request._request):
        raise errors.too_large()
    uploads.keep_in_memory(request._request)


def photo_of(request: Request) -> bytes:
    """Return the photo's bytes: at most one more than allowed, so that the excess is seen."""
    photo = request.FILES.get("photo")
    if uploads.is_cut_off(request._request):
        raise errors.too_large()
    if photo is None:
        sentence = _("Send the picture as a file, in a multipart field named “photo”.")
        raise errors.ApiError(400, "required", sentence)
    return bytes(photo.read(settings.max_upload_bytes + 1))
