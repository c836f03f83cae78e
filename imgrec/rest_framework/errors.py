"""Errors of the API: a status, and a body of ``detail`` (a sentence) and ``code`` (a word)."""

from __future__ import annotations

import math

from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.http import Http404
from django.utils.translation import gettext as _
from rest_framework.exceptions import APIException

from imgrec.conf import settings
from imgrec.errors import ImgrecError, PhotoSearchUnavailable, PictureError
from imgrec.reasons import Reason
from imgrec.uploads import too_large_sentence


class ApiError(APIException):
    """Rendered by Django REST framework as it is; ``wait``: seconds for ``Retry-After``."""

    def __init__(self, status: int, code: str, detail: str, *, wait: float | None = None) -> None:
        super().__init__({"detail": detail, "code": code})
        self.status_code = status
        self.wait = wait


def not_found() -> ApiError:
    """Return one and the same answer for unknown, malformed and hidden products."""
    return ApiError(404, "not_found", _("Not found."))


def no_such_page() -> ApiError:
    """Return the answer to an ``after`` that is no token of this list."""
    return ApiError(400, "no_such_page", _("after: not the next of this list; begin anew."))


def not_with_part(name: str) -> ApiError:
    """Return the answer to an option that a search by a part of a product has not."""
    sentence = _("%(option)s: not together with part.") % {"option": name}
    return ApiError(400, "not_with_part", sentence)


def too_large() -> ApiError:
    """Return the answer to a photo, or a whole request, over the limit."""
    return ApiError(413, Reason.FILE_TOO_LARGE, too_large_sentence())


def of_picture(error: PictureError) -> ApiError:
    """Return the answer to a photo that cannot be used."""
    if error.code == Reason.FILE_TOO_LARGE:
        return too_large()
    return ApiError(422, error.code, str(error))


def of_search(error: PhotoSearchUnavailable) -> ApiError:
    """Return the answer when no worker can look at the photo now, or never may."""
    if error.code == "off":
        return ApiError(404, error.code, str(error))
    return ApiError(
        503, error.code, str(error), wait=max(1, math.ceil(settings.photo_wait_seconds))
    )


def of_part(error: ImgrecError) -> ApiError:
    """Return the answer to a part that cannot be searched by: where nobody looks, or at all."""
    return ApiError(422, str(getattr(error, "code", "error")), str(error))


def as_json(error: Exception) -> Exception:
    """Return Django's own complaints about a request's body in our form, others as they are."""
    if isinstance(error, RequestDataTooBig):
        return too_large()
    if isinstance(error, SuspiciousOperation):
        return ApiError(400, "bad_request", _("The request cannot be read."))
    return error


def code_of(error: Exception) -> str:
    """Return the ``code`` of an error that Django REST framework renders without one."""
    if isinstance(error, Http404):
        return "not_found"
    if isinstance(error, PermissionDenied):
        return "permission_denied"
    codes = error.get_codes() if isinstance(error, APIException) else None
    return codes if isinstance(codes, str) else "error"
