"""Pages that are listened to: none may complain, and none may ask anybody but the shop."""

from __future__ import annotations

from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, ConsoleMessage, Request, WebError


class Watch:
    """Collects what the pages of a context complain of, and whom else they ask."""

    def __init__(
        self, context: BrowserContext, address: str, *, forgive: tuple[int, ...] = ()
    ) -> None:
        self.problems: list[str] = []
        self._context = context
        self._host = urlsplit(address).netloc
        # The browser notes each page that answers with an error, also an expected one.
        self._forgiven = [f"status of {status} " for status in forgive]
        context.on("console", self._said)
        context.on("weberror", self._failed)
        context.on("request", self._asked)

    def close(self) -> None:
        """Close the context and all its pages."""
        self._context.close()

    def _said(self, message: ConsoleMessage) -> None:
        forgiven = any(each in message.text for each in self._forgiven)
        if message.type in {"error", "warning"} and not forgiven:
            self.problems.append(f"{message.type} on {message.location['url']}: {message.text}")

    def _failed(self, error: WebError) -> None:
        self.problems.append(str(error.error))

    def _asked(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme not in {"data", "blob"} and parts.netloc != self._host:
            self.problems.append(f"a request to {request.url}")
