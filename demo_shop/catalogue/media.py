"""Photos served by the app itself, so that the demo needs no second server.

A real shop gives this job to its web server or its object storage.
"""

from __future__ import annotations

from django.conf import settings
from django.http import FileResponse, HttpRequest, HttpResponseBase
from django.views.decorators.http import require_safe
from django.views.static import serve


@require_safe
def photo_file(request: HttpRequest, name: str) -> HttpResponseBase:
    """One stored file; 404 when it is not there.

    Anything can be uploaded as a photo, HTML and SVG included. The sandbox keeps such a file from
    running as a page of the shop when somebody opens its address.
    """
    response = serve(request, name, document_root=settings.MEDIA_ROOT)
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    if isinstance(response, FileResponse):
        response.headers["Cache-Control"] = "public, max-age=3600"
    return response
