"""The demo as a shopkeeper starts it: ``manage.py demo``."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

from demo_shop.services import free_port
from tests.browser.wares import Wares
from tests.started import StartedShop


class Demo(StartedShop):
    """A running shop; ``address``, ``name`` and ``password`` are those it printed."""

    opened = re.compile(r"Admin +(\S+)/admin/ +(\S+) / (\S+)")
    ready_seconds = 240
    stop_seconds = 30

    def __init__(self, folder: Path, wares: Wares) -> None:
        self.wares = wares
        self.media = folder / "media"
        self.session: Any = None  # cookies of the merchant, once logged in
        command = [sys.executable, "manage.py", "demo", "--port", str(free_port())]
        command += ["--data", str(folder), "--photos", str(wares.manifest())]
        log = folder.with_suffix(".log")
        super().__init__(command, log, DJANGO_SETTINGS_MODULE="demo_shop.settings")
        self.address, self.name, self.password = self.said.groups()
