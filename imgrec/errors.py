"""What imgrec raises. Everything derives from ``ImgrecError``."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from imgrec.reasons import Reason


class ImgrecError(Exception):
    """The base of every error that imgrec raises on purpose."""


class PictureError(ImgrecError):
    """A picture cannot be used. ``code`` says why; ``str()`` says what to do, translated."""

    def __init__(self, code: Reason, *, detail: str = "") -> None:
        super().__init__(code)
        self.code = Reason(code)
        self.detail = detail

    def __str__(self) -> str:
        sentence = str(self.code.advice)
        return f"{sentence} ({self.detail})" if self.detail else sentence


class WeightsUnavailable(ImgrecError):
    """An encoder's weights cannot be had here; the message names the ways to get them."""

    code = Reason.WEIGHTS_UNAVAILABLE


class NoFeatureMap(ImgrecError):
    """An encoder cannot say which parts of a photo its vector is made of."""

    code = "no_feature_map"

    def __str__(self) -> str:
        return str(_("This encoder cannot tell the parts of a photo apart."))


class NothingSeen(ImgrecError, ValueError):
    """A part of a photo lies where its encoder does not look."""

    code = "nothing_seen"

    def __str__(self) -> str:
        return str(
            _("The encoder does not look at this part of the photo: choose one nearer its middle.")
        )


class NoSuchPage(ImgrecError, ValueError):
    """``after`` is no token of this query; the message says what is."""


class PhotoSearchUnavailable(ImgrecError):
    """A shopper's photo cannot be searched by now.

    ``code`` is ``"no_answer"``, ``"busy"`` or ``"off"``.
    """

    SENTENCES = {
        "no_answer": _("No worker answered in time. Please try again in a moment."),
        "busy": _("Many people are searching by photo. Please try again in a moment."),
        "off": _("Search by photo is switched off."),
    }

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code

    def __str__(self) -> str:
        return str(self.SENTENCES.get(self.code, self.code))
