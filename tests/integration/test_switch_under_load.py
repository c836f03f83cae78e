"""While the space is switched, every page shows a full list, and of one space only."""

from __future__ import annotations

import random
import re
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from django.db import connection
from django.template import engines

from imgrec import neighbours, space_rows
from tests.brute_force import similarities
from tests.faults.web_server import WebServer
from tests.integration.admin_pages import the_space
from tests.synthetic import fill
from tests.testapp.models import TwoSpaces

pytestmark = pytest.mark.django_db(transaction=True)

FINE, COARSE = "testapp.twospaces.fine", "testapp.twospaces.coarse"
LIMIT = 8
TAG = "{% load imgrec %}{% similar_products product limit=8 %}"
CARD = re.compile(r'data-pk="(\d+)"')
SWITCH_SECONDS = 0.02

Views = list[tuple[int, list[int]]]  # the product looked at, and whom it showed
View = Callable[[int], list[int]]


@pytest.fixture
def truth() -> dict[str, dict[int, list[int]]]:
    """Two hundred products, and their lists by brute force in either space."""
    made = TwoSpaces.objects.bulk_create(TwoSpaces(photo=f"two/{n}.png") for n in range(200))
    found = {}
    for seed, label in enumerate((FINE, COARSE)):
        space = the_space(label)
        fill(space, made, seed=seed)
        neighbours.rebuild(space)
        items, table = similarities(space)
        np.fill_diagonal(table, -1)
        nearest = np.argsort(-table)[:, :LIMIT]
        found[label] = {
            key: [items[i] for i in row] for key, row in zip(items, nearest, strict=True)
        }
    space_rows.sync()
    space_rows.serve(FINE)
    assert all(found[FINE][key] != found[COARSE][key] for key in found[FINE])
    return found


def switched_meanwhile(view: View, keys: list[int], views: int, threads: int = 4) -> Views:
    """Look at so many pages, of products by chance, while the space is switched all the time."""
    dice = random.Random(0)
    over = threading.Event()
    switches = 0

    def switch() -> None:
        nonlocal switches
        while not over.wait(SWITCH_SECONDS):
            switches += 1
            space_rows.serve((COARSE, FINE)[switches % 2])
        connection.close()

    merchant = threading.Thread(target=switch)
    merchant.start()
    try:
        with ThreadPoolExecutor(threads) as shoppers:
            asked = [dice.choice(keys) for _ in range(views)]
            shown = list(shoppers.map(view, asked))
    finally:
        over.set()
        merchant.join()
    assert switches >= 5, "nothing would be tested"
    return list(zip(asked, shown, strict=True))


def check(views: Views, truth: dict[str, dict[int, list[int]]]) -> None:
    """Each list is full, and the whole list of one of the two spaces."""
    seen: Counter[str] = Counter()
    for key, shown in views:
        assert len(shown) == LIMIT, f"{key} showed {len(shown)}"
        spaces = [label for label, lists in truth.items() if lists[key] == shown]
        assert len(spaces) == 1, f"{key} showed {shown}, of no single space"
        seen.update(spaces)
    assert min(seen[FINE], seen[COARSE]) > len(views) // 20, f"one was hardly seen: {seen}"


def test_every_list_is_full_and_of_one_space(truth: dict[str, dict[int, list[int]]]) -> None:
    template = engines["django"].from_string(TAG)
    open_ones: list[object] = []

    def view(key: int) -> list[int]:
        try:
            product = TwoSpaces.objects.get(pk=key)
            return [int(pk) for pk in CARD.findall(template.render({"product": product}))]
        finally:
            connection.close()  # this thread's, as at the end of a request
            open_ones.append(key)

    check(switched_meanwhile(view, list(truth[FINE]), 300), truth)
    assert len(open_ones) == 300


@pytest.mark.full
@pytest.mark.timeout(400)
def test_a_thousand_page_views_over_http(
    truth: dict[str, dict[int, list[int]]],
    environment: Callable[..., dict[str, str]],
    tmp_path: Path,
) -> None:
    began = time.monotonic()
    options = ["--workers", "2", "--threads", "4"]
    with WebServer(environment(), log=tmp_path / "log", options=options) as server:

        def view(key: int) -> list[int]:
            status, body = server.ask(f"/two/{key}/")
            assert status == 200, server.log()
            return [int(pk) for pk in CARD.findall(body.decode())]

        views = switched_meanwhile(view, list(truth[FINE]), 1_000, threads=8)
    check(views, truth)
    print(f"1,000 page views in {time.monotonic() - began:.1f} s")
