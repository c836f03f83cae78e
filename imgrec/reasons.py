"""The closed list of reasons why a photo could not be indexed, with what to do about each."""

from __future__ import annotations

from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class Reason(models.TextChoices):
    """A reason code. The label is for tables and filters, ``advice`` for people who must act."""

    FILE_MISSING = "file_missing", _("File missing")
    STORAGE_ERROR = "storage_error", _("Storage not answering")
    FILE_TOO_LARGE = "file_too_large", _("File too large")
    EMPTY_FILE = "empty_file", _("Empty file")
    NOT_AN_IMAGE = "not_an_image", _("Not a picture")
    FORMAT_NOT_ALLOWED = "format_not_allowed", _("Format not supported")
    TOO_MANY_PIXELS = "too_many_pixels", _("Too many pixels")
    DAMAGED = "damaged", _("Damaged picture")
    NO_FEATURES = "no_features", _("Nothing recognisable")
    WEIGHTS_UNAVAILABLE = "weights_unavailable", _("Model weights unavailable")
    EMBEDDER_FAILED = "embedder_failed", _("Embedding failed")
    WORKER_DIED = "worker_died", _("Worker died")

    @property
    def advice(self) -> Promise:
        """Return a whole sentence that says what to do, translated when it is shown."""
        return ADVICE[self]


ADVICE: dict[Reason, Promise] = {
    Reason.FILE_MISSING: _(
        "The storage has no file under this photo's name: upload the photo again."
    ),
    Reason.STORAGE_ERROR: _(
        "The photo's storage did not answer: retry once it is reachable again."
    ),
    Reason.FILE_TOO_LARGE: _(
        "The photo's file is too large: upload a smaller one, or raise max_file_bytes."
    ),
    Reason.EMPTY_FILE: _("The photo's file has no content: upload the photo again."),
    Reason.NOT_AN_IMAGE: _("The file is not a picture: upload a JPEG, PNG, WebP, GIF or AVIF."),
    Reason.FORMAT_NOT_ALLOWED: _(
        "Pictures of this format are not read: upload a JPEG, PNG, WebP, GIF or AVIF."
    ),
    Reason.TOO_MANY_PIXELS: _(
        "The picture has too many pixels: upload a smaller one, or raise max_pixels."
    ),
    Reason.DAMAGED: _(
        "The picture is damaged or cut off and cannot be read: export it again and upload it."
    ),
    Reason.NO_FEATURES: _(
        "The model finds nothing to compare in this picture: upload one that shows the product."
    ),
    Reason.WEIGHTS_UNAVAILABLE: _(
        "The model's weights are not on this machine: run imgrec_doctor for the ways to get them."
    ),
    Reason.EMBEDDER_FAILED: _(
        "The model failed on this picture: retry, and look into the worker's log if it repeats."
    ),
    Reason.WORKER_DIED: _(
        "The worker died repeatedly while reading this picture: upload a different file."
    ),
}
