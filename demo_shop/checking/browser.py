"""A browser without a window: cookies, forms, uploads."""

from __future__ import annotations

import http.client
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from http.cookies import SimpleCookie
from urllib.parse import urlencode, urlsplit

from demo_shop.checking.pages import Page

Fields = Iterable[tuple[str, str]]
SECONDS = 60


@dataclass(frozen=True)
class Upload:
    """A file in a form."""

    field: str
    name: str
    data: bytes


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes
    location: str

    @property
    def page(self) -> Page:
        return Page(self.body.decode("utf-8", errors="replace"))


class Browser:
    """One visitor of the shop at ``address``; redirects are answers like any other."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._host = urlsplit(address).netloc
        self._cookies: dict[str, str] = {}

    def get(self, path: str) -> Answer:
        return self._ask("GET", path, b"", {})

    def post(self, path: str, fields: Fields, *uploads: Upload) -> Answer:
        """Send a form; with uploads as multipart, as a browser does."""
        filled = [*fields, ("csrfmiddlewaretoken", self._cookies.get("csrftoken", ""))]
        if uploads:
            kind, body = _multipart(filled, uploads)
        else:
            kind, body = "application/x-www-form-urlencoded", urlencode(filled).encode()
        headers = {"Content-Type": kind, "Origin": self._address}
        return self._ask("POST", path, body, headers)

    def _ask(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> Answer:
        cookies = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
        connection = http.client.HTTPConnection(self._host, timeout=SECONDS)
        try:
            connection.request(method, path, body or None, {**headers, "Cookie": cookies})
            response = connection.getresponse()
            for line in response.headers.get_all("Set-Cookie", []):
                self._cookies |= {key: crumb.value for key, crumb in SimpleCookie(line).items()}
            location = response.headers.get("Location", "")
            return Answer(response.status, response.read(), location)
        finally:
            connection.close()


def _multipart(fields: Fields, uploads: Iterable[Upload]) -> tuple[str, bytes]:
    boundary = secrets.token_hex(16)
    parts = [
        f'Content-Disposition: form-data; name="{name}"\r\n\r\n{value}'.encode()
        for name, value in fields
    ]
    parts += [
        f'Content-Disposition: form-data; name="{upload.field}"; filename="{upload.name}"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n".encode()
        + upload.data
        for upload in uploads
    ]
    lines = b"".join(b"--" + boundary.encode() + b"\r\n" + part + b"\r\n" for part in parts)
    return f"multipart/form-data; boundary={boundary}", lines + f"--{boundary}--\r\n".encode()
