"""The check from beginning to end."""

from __future__ import annotations

import tempfile
import time
from http.client import HTTPException
from pathlib import Path
from typing import Any

from demo_shop.checking import crash, own_photo, swaps, visibility
from demo_shop.checking.likeness import precision, precision_by_category
from demo_shop.checking.shop import CheckFailed, Seen, Shop
from demo_shop.checking.summary import problems_of
from demo_shop.running.demo import fill
from demo_shop.running.folder import DataFolder
from demo_shop.running.stack import Say, Stack
from demo_shop.services import free_port

SETTLE_SECONDS = 120.0
PAGES_COUNTED = 200
# Pages of every kind, so that none of them can bring torch into the web process unseen.
OTHER_PAGES = ["/", "/products/?q=a", "/similar-to-my-photo/", "/nothing-here/"]
ADMIN_PAGES = ["/admin/", "/admin/shop/product/", "/admin/imgrec/"]


def check(photos: Path | None, *, say: Say) -> dict[str, Any]:
    """Run the demo in a temporary folder on free ports and return the summary; key ``ok``."""
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="imgrec-check-") as folder:
        data = DataFolder(Path(folder))
        data.take()
        with Stack(data, port=free_port(), say=say, check=True) as stack:
            fill(stack, photos)
            stack.start_shop()
            summary = _drive(stack, say)
    return summary | {
        "seconds": round(time.monotonic() - started, 1),
        "ok": not summary["problems"],
    }


def _drive(stack: Stack, say: Say) -> dict[str, Any]:
    """The summary with its ``problems``; what was found before a failure is in it, too."""
    checks = Check(stack, say)
    try:
        checks.run()
    except (CheckFailed, OSError, HTTPException) as failure:
        say(f"The end of the web server's log:\n{stack.web.last_words(lines=40)}")
        return {**checks.summary, "problems": [f"{type(failure).__name__}: {failure}"]}
    return {**checks.summary, "problems": problems_of(checks.summary)}


class Check:
    """One pass over a running shop; ``summary`` grows as it goes on."""

    def __init__(self, stack: Stack, say: Say) -> None:
        self.stack = stack
        self.say = say
        self.shop = Shop(stack.address, admin_password=stack.folder.admin_password)
        self.summary: dict[str, Any] = {}

    def run(self) -> None:
        """Everything, in the order in which a shop would meet it. Raises CheckFailed."""
        self.summary |= self._index()
        self.say("Reading every product's page ...")
        pages = self.shop.crawl()
        self.summary["precision_at_5"] = precision(pages)
        self.summary["precision_at_5_by_category"] = precision_by_category(pages)
        self.summary["page_queries"] = self._count_queries(pages)
        self.shop.log_in()
        self.summary |= self._change_photos(pages)
        if any(seen.similar for seen in pages.values()):
            self.say("Searching with a photo, hiding and selling out ...")
            self.summary["photo_search"] = own_photo.search(self.shop, pages)
            self.summary["visibility"] = visibility.leave_lists_at_once(
                self.stack, self.shop, pages
            )
        self.summary |= self._look_inside()

    def _index(self) -> dict[str, Any]:
        self.say("Indexing ...")
        started = time.monotonic()
        self.stack.manage("imgrec_index", "--missing")  # what failed is counted below
        found = self.shop.wait_until_idle(seconds=SETTLE_SECONDS)
        return {
            "products": found["products"],
            "encoder": found["encoder"],
            "version": found["version"],
            "space": found["space"],
            "index_seconds": round(time.monotonic() - started, 1),
            "photo_search": None,
            "visibility": None,
        }

    def _count_queries(self, pages: dict[int, Seen]) -> int | None:
        """The most SELECTs the tag made for a product whose stored list was enough."""
        step = max(1, len(pages) // PAGES_COUNTED)
        counts = [self.shop.statements(pk) for pk in sorted(pages)[::step]]
        return max((each["selects"] for each in counts if each["way"] == "list"), default=None)

    def _change_photos(self, pages: dict[int, Seen]) -> dict[str, Any]:
        planned = swaps.plan(self.shop, pages)
        self.say(f"Changing {len(planned)} photos in the admin ...")
        times = [swaps.measure(self.shop, swap) for swap in planned]
        return {
            "photo_to_list_seconds": {
                "p50": swaps.quantile(times, 0.5) if times else None,
                "p95": swaps.quantile(times, 0.95) if times else None,
                "n": len(times),
            },
            "kill": self._kill(planned),
        }

    def _kill(self, planned: list[swaps.Swap]) -> dict[str, Any] | None:
        """Kill the worker while the first ten get their own photo back; then all others do."""
        if not planned:
            return None
        self.say("Changing photos while the worker is killed ...")
        found = crash.kill_while_photos_change(self.stack, self.shop, planned)
        for swap in planned[crash.PHOTOS :]:
            self.shop.new_photo(swap.product.pk, swap.own_photo)
        self.shop.wait_until_idle(seconds=SETTLE_SECONDS)
        right = sum(crash.is_back(self.shop, swap.product) for swap in planned[: crash.PHOTOS])
        return {**found, "lists_right_after": right}

    def _look_inside(self) -> dict[str, Any]:
        """Read last, when every kind of page has been served."""
        for path in OTHER_PAGES:
            self.shop.status(path)
        for path in ADMIN_PAGES:
            self.shop.admin_status(path)
        found = self.shop.inside()
        return {
            "states": found["states"],
            "ready": found["states"].get("ready", 0),
            "failed": found["states"].get("failed", 0),
            "failures": found["failures"],
            "torch_in_web_process": found["torch_loaded"],
            "worker_restarts": self._restarts(),
        }

    def _restarts(self) -> int:
        """Processes of the worker that ended by themselves; our kill leaves no line in its log."""
        lost = self.stack.worker.log.read_text(errors="replace").count("exited with")
        return lost + (not self.stack.worker.is_running())
