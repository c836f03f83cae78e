"""An interpreter with django-oscar, the shop that runs in it, and a browser in front."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, sync_playwright

from tests.browser.conftest import CHROMIUM, PATIENCE_MILLISECONDS
from tests.browser.conftest import album as album
from tests.browser.watching import Watch
from tests.examples.oscar_shop import HERE, OscarShop


@pytest.fixture(scope="session")
def oscar_python() -> str:
    """An interpreter that has django-oscar: ours, one that is named, or the example's own."""
    named = os.environ.get("IMGREC_OSCAR_PYTHON", "")
    own = HERE / ".venv" / "bin" / "python"
    for python in filter(None, [named, sys.executable, str(own) if own.exists() else ""]):
        probe = [python, "-c", "import oscar, sorl.thumbnail, torch"]
        if subprocess.run(probe, capture_output=True).returncode == 0:
            return python
    pytest.skip(
        "no django-oscar: start examples/oscar/run.py once, which installs it beside itself, or "
        "name an interpreter that has it in IMGREC_OSCAR_PYTHON"
    )


@pytest.fixture(scope="module")
def oscar_shop(
    browser_path: str, oscar_python: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[OscarShop]:
    """The example, filled and indexed; it must end in order when interrupted."""
    shop = OscarShop(oscar_python, tmp_path_factory.mktemp("oscar") / "data")
    yield shop
    assert shop.stop() == 0, shop.log()


@pytest.fixture
def page(oscar_shop: OscarShop, browser_path: str) -> Iterator[Page]:
    """A shopper's page. It may neither complain nor ask anybody but the shop."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser_path, args=CHROMIUM)
        context = chromium.new_context(base_url=oscar_shop.address)
        context.set_default_timeout(PATIENCE_MILLISECONDS)
        watch = Watch(context, oscar_shop.address)
        yield context.new_page()
        watch.close()
        chromium.close()
    assert watch.problems == []
