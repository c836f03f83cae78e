"""``manage.py demo``: from nothing to a shop in the browser."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from demo_shop.running import ports
from demo_shop.running.errors import DemoError
from demo_shop.running.folder import ADMIN_NAME, DataFolder
from demo_shop.running.stack import Say, Stack

LOOK_EVERY_SECONDS = 1.0


def run(folder: Path, *, photos: Path | None, port: int, say: Say) -> None:
    """Run the shop until interrupted. Raises DemoError."""
    if ports.is_taken(port):
        raise DemoError(f"Port {port} is taken. Choose another: manage.py demo --port {port + 1}")
    data = DataFolder(folder)
    data.take()
    with Stack(data, port=port, say=say) as stack:
        fill(stack, photos)
        stack.start_shop()
        say(f"The shop is open: {stack.address}/")
        if stack.manage("imgrec_index", "--missing"):
            say(f"Some photos could not be indexed. The reasons: {stack.address}/admin/")
        say(_greeting(stack))
        while True:
            time.sleep(LOOK_EVERY_SECONDS)
            stack.keep_alive()


def fill(stack: Stack, photos: Path | None) -> None:
    """Tables, admin, products, and which space is served. Raises DemoError."""
    _ = stack.folder.admin_password  # drawn before the command below reads it
    arguments: Sequence[str] = ["--photos", str(photos.resolve())] if photos else []
    if stack.manage("demo_prepare", *arguments):
        raise DemoError("The shop could not be filled; the reason is above.")


def _greeting(stack: Stack) -> str:
    return "\n".join(
        [
            "",
            f"  Shop    {stack.address}/",
            f"  Admin   {stack.address}/admin/   {ADMIN_NAME} / {stack.folder.admin_password}",
            f"  Data    {stack.folder.path} (logs in logs/)",
            "",
            "  Ctrl-C stops everything. The next start finds it all again.",
            "",
        ]
    )
