"""The shop as the check sees it: a visitor, a merchant and the pages that look inside."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

from demo_shop.checking.browser import Browser, Upload
from demo_shop.running.folder import ADMIN_NAME

VISITORS = 4
Found = TypeVar("Found")


class CheckFailed(Exception):
    """The shop did something else than it should; the message says what."""


@dataclass(frozen=True)
class Seen:
    """A product's page as served."""

    pk: int
    address: str
    category: str
    in_stock: bool
    photo: str
    similar: list[int]


class Shop:
    """Everything the check does to the shop goes through here, over HTTP."""

    def __init__(self, address: str, *, admin_password: str) -> None:
        self._visitor = Browser(address)
        self._merchant = Browser(address)
        self._password = admin_password

    def crawl(self) -> dict[int, Seen]:
        """Every product page that the catalogue leads to."""
        links: dict[int, str] = {}
        path = "/products/"
        while path:
            page = self._page(path)
            links |= page.cards
            path = f"/products/{page.next_page}" if page.next_page else ""
        with ThreadPoolExecutor(VISITORS) as pool:
            return {seen.pk: seen for seen in pool.map(self.look, links.values())}

    def look(self, address: str) -> Seen:
        """Open one product's page."""
        page = self._page(address)
        facts = page.product
        return Seen(
            pk=int(facts["data-product"]),
            address=address,
            category=facts["data-category"],
            in_stock=facts["data-stock"] != "0",
            photo=facts.get("photo", ""),
            similar=page.similar,
        )

    def status(self, path: str) -> int:
        return self._visitor.get(path).status

    def photo(self, seen: Seen) -> bytes:
        """The bytes of a product's photo as served."""
        answer = self._visitor.get(seen.photo)
        if answer.status != 200:
            raise CheckFailed(f"{seen.photo} answered {answer.status}")
        return answer.body

    def search_by_photo(self, data: bytes) -> tuple[int, dict[int, float]]:
        """Status, and similarity by product key, most similar first."""
        path = "/similar-to-my-photo/"
        self._page(path)
        answer = self._visitor.post(path, [], Upload("photo", "mine.jpg", data))
        return answer.status, answer.page.similarities

    def log_in(self) -> None:
        """Open the admin as the merchant."""
        path = "/admin/login/?next=/admin/"
        self._merchant.get(path)
        form = [("username", ADMIN_NAME), ("password", self._password), ("next", "/admin/")]
        answer = self._merchant.post(path, form)
        if answer.status != 302:
            raise CheckFailed(f"the admin's login answered {answer.status}")

    def change(self, pk: int, *uploads: Upload, **values: str | None) -> None:
        """Save a product in the admin's own form with some fields changed; None unticks a box."""
        path = f"/admin/shop/product/{pk}/change/"
        form = self._merchant.get(path).page.forms.get("product_form")
        if form is None:
            raise CheckFailed(f"{path} shows no form")
        kept = [(name, value) for name, value in form.fields if name not in values]
        changed = [(name, value) for name, value in values.items() if value is not None]
        answer = self._merchant.post(path, [*kept, *changed, ("_save", "Save")], *uploads)
        if answer.status != 302:
            raise CheckFailed(f"saving product {pk} in the admin answered {answer.status}")

    def new_photo(self, pk: int, data: bytes) -> None:
        """Replace a product's photo in the admin."""
        self.change(pk, Upload("photo", f"check-{pk}.jpg", data))

    def admin_status(self, path: str) -> int:
        return self._merchant.get(path).status

    def inside(self) -> dict[str, Any]:
        return self._json("/check/state/")

    def statements(self, pk: int) -> dict[str, Any]:
        return self._json(f"/check/queries/{pk}/")

    def wait_until_idle(self, *, seconds: float) -> dict[str, Any]:
        """Wait until no job is open. Raises CheckFailed when that takes too long."""

        def idle() -> dict[str, Any] | None:
            found = self.inside()
            return found if found["open_jobs"] == 0 else None

        return wait_for(idle, seconds=seconds, what="all jobs to be done", every=0.1)

    def _page(self, path: str) -> Any:
        answer = self._visitor.get(path)
        if answer.status != 200:
            raise CheckFailed(f"{path} answered {answer.status}")
        return answer.page

    def _json(self, path: str) -> dict[str, Any]:
        answer = self._visitor.get(path)
        if answer.status != 200:
            raise CheckFailed(f"{path} answered {answer.status}")
        found: dict[str, Any] = json.loads(answer.body)
        return found


def wait_for(ask: Callable[[], Found | None], *, seconds: float, what: str, every: float) -> Found:
    """The first answer that is not None. Raises CheckFailed after ``seconds``."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = ask()
        if found is not None:
            return found
        time.sleep(every)
    raise CheckFailed(f"waited {seconds:.0f} s for {what}")
