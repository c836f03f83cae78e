"""Interpreters with other people's frameworks, the shops that run in them, and a browser."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, sync_playwright

from tests.browser.conftest import CHROMIUM, PATIENCE_MILLISECONDS
from tests.browser.conftest import album as album
from tests.browser.watching import Watch
from tests.examples.example_shop import ExampleShop
from tests.examples.oscar_shop import OscarShop
from tests.examples.wagtail_shop import WagtailShop


@pytest.fixture(scope="session")
def oscar_python() -> str:
    """An interpreter that has django-oscar."""
    return python_with("oscar, sorl.thumbnail, torch", OscarShop.here, "IMGREC_OSCAR_PYTHON")


@pytest.fixture(scope="session")
def wagtail_python() -> str:
    """An interpreter that has Wagtail."""
    return python_with("wagtail, torch", WagtailShop.here, "IMGREC_WAGTAIL_PYTHON")


def python_with(modules: str, here: Path, variable: str) -> str:
    """Return an interpreter that has them: one that is named, ours, or the example's own."""
    own = here / ".venv" / "bin" / "python"
    named = os.environ.get(variable, "")
    for python in filter(None, [named, sys.executable, str(own) if own.exists() else ""]):
        probe = [python, "-c", f"import {modules}"]
        if subprocess.run(probe, capture_output=True).returncode == 0:
            return python
    pytest.skip(
        f"no {modules.split(',')[0]}: start examples/{here.name}/run.py once, which installs it "
        f"beside itself, or name an interpreter that has it in {variable}"
    )


@pytest.fixture(scope="module")
def oscar_shop(
    browser_path: str, oscar_python: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[OscarShop]:
    """The oscar example, filled and indexed; it must end in order when interrupted."""
    shop = OscarShop(oscar_python, tmp_path_factory.mktemp("oscar") / "data")
    yield shop
    assert shop.stop() == 0, shop.log()


@pytest.fixture(scope="module")
def wagtail_shop(
    browser_path: str, wagtail_python: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[WagtailShop]:
    """The Wagtail example, filled and indexed; it must end in order when interrupted."""
    shop = WagtailShop(wagtail_python, tmp_path_factory.mktemp("wagtail") / "data")
    yield shop
    assert shop.stop() == 0, shop.log()


@pytest.fixture
def page(shop: ExampleShop, browser_path: str) -> Iterator[Page]:
    """A shopper's page in the module's ``shop``. It may neither complain nor ask anybody else."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser_path, args=CHROMIUM)
        context = chromium.new_context(base_url=shop.address)
        context.set_default_timeout(PATIENCE_MILLISECONDS)
        watch = Watch(context, shop.address)
        yield context.new_page()
        watch.close()
        chromium.close()
    assert watch.problems == []
