"""Find similar to my photo: a worker looks at the photo, the shop keeps nothing of it."""

from __future__ import annotations

from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from demo_shop.catalogue.forms import PhotoForm
from demo_shop.catalogue.models import Product
from demo_shop.catalogue.preview import preview_uri
from imgrec import similar_to_photo
from imgrec.conf import settings as imgrec_settings
from imgrec.errors import PhotoSearchUnavailable, PictureError
from imgrec.reasons import Reason
from imgrec.uploads import photo_upload

RESULTS = 12
TOO_LARGE = {Reason.FILE_TOO_LARGE, Reason.TOO_MANY_PIXELS}
TOO_LARGE_TO_READ = "That file is too large for us. A smaller copy will do fine."
ADVICE = {
    Reason.FILE_TOO_LARGE: TOO_LARGE_TO_READ,
    Reason.TOO_MANY_PIXELS: "That picture has more pixels than we can take in. A smaller copy "
    "will do fine.",
    Reason.EMPTY_FILE: "That file is empty. Choose another photo.",
    Reason.NOT_AN_IMAGE: "That file does not look like a photo to us. A JPEG, PNG or WebP works.",
    Reason.FORMAT_NOT_ALLOWED: "We cannot read that kind of picture. A JPEG, PNG or WebP works.",
    Reason.DAMAGED: "That photo seems to be damaged. Try to save or take it again.",
    Reason.NO_FEATURES: "We cannot make out anything in that photo. Try one with more to see.",
}
UNAVAILABLE = {
    "no_answer": "Nobody looked at your photo in time. Please try again in a moment.",
    "busy": "Many people are searching with a photo. Please try again in a moment.",
    "off": "Searching with a photo is switched off in this shop.",
}


def too_large(request: HttpRequest) -> HttpResponse:
    """The form again, for a photo that was not read to its end."""
    context = {"problem": TOO_LARGE_TO_READ, "most_megabytes": _most_megabytes()}
    return render(request, "shop/photo_search.html", context, status=413)


@photo_upload(too_large)
@require_http_methods(["GET", "HEAD", "POST"])
def similar_to_my_photo(request: HttpRequest) -> HttpResponse:
    """The upload form, and after an upload what looks most like it."""
    context: dict[str, object] = {"most_megabytes": _most_megabytes()}
    if request.method != "POST":
        return render(request, "shop/photo_search.html", context)
    form = PhotoForm(request.POST, request.FILES)
    status = 200
    if form.is_valid():
        answer, status = _answer(form.cleaned_data["photo"])
        context.update(answer)
    else:
        context["problem"], status = " ".join(form.errors.get("photo", [])), 422
    return render(request, "shop/photo_search.html", context, status=status)


def _most_megabytes() -> int:
    return imgrec_settings.max_upload_bytes // 1_000_000


def _answer(photo: UploadedFile) -> tuple[dict[str, object], int]:
    """What the page shows for one photo, and the status it goes out with."""
    try:
        found = similar_to_photo(photo, model=Product, limit=RESULTS)
    except PictureError as error:
        code = Reason(error.code)
        return {"problem": ADVICE.get(code, str(error))}, 413 if code in TOO_LARGE else 422
    except PhotoSearchUnavailable as error:
        status = 404 if error.code == "off" else 503
        return {"problem": UNAVAILABLE.get(str(error.code), str(error))}, status
    return {"found": found, "searched": True, "preview": preview_uri(photo)}, 200
