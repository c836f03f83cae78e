"""The drawn catalogue: the same on every run, labelled, and not one picture twice."""

from __future__ import annotations

import numpy as np
import pytest

from demo_shop.seeding.drawn.canvas import HEIGHT, WIDTH
from demo_shop.seeding.drawn.catalogue import FAMILIES, drawn_items, drawn_picture
from demo_shop.seeding.drawn.palette import COLOURS
from demo_shop.seeding.drawn.patterns import PATTERNS
from imgrec.images import open_picture


def test_there_is_one_product_for_each_family_colour_and_pattern() -> None:
    items = drawn_items()
    assert len(items) == len(FAMILIES) * len(COLOURS) * len(PATTERNS) == 192
    assert len({item.sku for item in items}) == len({item.title for item in items}) == 192
    assert {item.category for item in items} == {shelf for shelf, _, _ in FAMILIES.values()}
    assert all(item.price and item.price > 0 for item in items)


@pytest.mark.parametrize("family", FAMILIES)
def test_the_same_seed_draws_the_same_picture(family: str) -> None:
    first, again = (drawn_picture(family, "Sage", "dotted", seed=7) for _ in range(2))
    assert first.size == (WIDTH, HEIGHT)
    assert first.mode == "RGB"
    assert first.tobytes() == again.tobytes()


def test_another_seed_draws_another_picture() -> None:
    pictures = [drawn_picture("vase", "Ocean", "striped", seed=seed) for seed in (1, 2)]
    assert pictures[0].tobytes() != pictures[1].tobytes()


@pytest.mark.parametrize("family", FAMILIES)
def test_colour_and_pattern_can_be_seen(family: str) -> None:
    plain, striped, other = (
        np.asarray(drawn_picture(family, colour, pattern), dtype=float)
        for colour, pattern in (("Plum", "plain"), ("Plum", "striped"), ("Sage", "plain"))
    )
    assert np.abs(plain - striped).mean() > 1
    assert np.abs(plain - other).mean() > 1


def test_a_photo_is_a_picture_that_imgrec_reads() -> None:
    item = next(item for item in drawn_items() if item.photo_name == "mug-terracotta-plain.jpg")
    assert open_picture(item.photo()).size == (WIDTH, HEIGHT)
    assert item.title == "Terracotta mug"
    assert item.category == "Mugs"
