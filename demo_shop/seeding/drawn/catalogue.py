"""A labelled catalogue drawn with Pillow: families x colours x patterns, the same for each seed."""

from __future__ import annotations

import io
import random
from collections.abc import Callable
from decimal import Decimal
from functools import partial

from PIL import Image

from demo_shop.seeding.drawn.canvas import SHEET, Studio
from demo_shop.seeding.drawn.home import cushion, lamp
from demo_shop.seeding.drawn.palette import COLOURS, WALLS, Colour
from demo_shop.seeding.drawn.patterns import PATTERNS, cloth
from demo_shop.seeding.drawn.tableware import bowl, mug, vase
from demo_shop.seeding.drawn.wearables import shoe, t_shirt, tote_bag
from demo_shop.seeding.items import Item

Family = Callable[[Studio, Image.Image, Colour, float], None]

# Singular -> shelf, how it is drawn, its lowest price in euros.
FAMILIES: dict[str, tuple[str, Family, int]] = {
    "mug": ("Mugs", mug, 12),
    "vase": ("Vases", vase, 34),
    "bowl": ("Bowls", bowl, 18),
    "cushion": ("Cushions", cushion, 29),
    "lamp": ("Lamps", lamp, 79),
    "t-shirt": ("T-shirts", t_shirt, 25),
    "tote bag": ("Tote bags", tote_bag, 22),
    "sneaker": ("Sneakers", shoe, 89),
}
TEXTS: dict[str, str] = {
    "mug": "Thrown by hand, with a handle that fits three fingers. Safe in the dishwasher.",
    "vase": "A slender neck that holds a single branch upright as well as a small bunch.",
    "bowl": "Deep enough for soup, wide enough for salad, and pretty enough to stay out.",
    "cushion": "A linen cover with a hidden zip, filled with recycled wool. 45 x 45 cm.",
    "lamp": "A turned wooden foot and a cloth shade that makes evening light of any bulb.",
    "t-shirt": "Heavy organic cotton, cut straight, made to be washed a hundred times.",
    "tote bag": "Carries the week's groceries and folds into a coat pocket afterwards.",
    "sneaker": "Canvas upper, natural rubber sole, sewn rather than glued.",
}


def drawn_items(*, seed: int = 1) -> list[Item]:
    """All 192 products. Their pictures are drawn only when asked for."""
    return [
        _item(family, colour, pattern, seed)
        for family in FAMILIES
        for colour in COLOURS
        for pattern in PATTERNS
    ]


def drawn_picture(family: str, colour: str, pattern: str, *, seed: int = 1) -> Image.Image:
    """One product's picture, RGB; wall, width, tilt and the pattern's step vary with the seed."""
    chance = random.Random(f"{seed}/{family}/{colour}/{pattern}")
    tilt = chance.uniform(-5, 5) if family in {"cushion", "t-shirt"} else 0.0
    studio = Studio(chance.choice(WALLS), tilt=tilt)
    step = SHEET[0] * chance.uniform(0.055, 0.075)
    sheet = cloth(pattern, SHEET, COLOURS[colour], step)
    FAMILIES[family][1](studio, sheet, COLOURS[colour][0], chance.uniform(0.9, 1.14))
    return studio.photograph()


def _item(family: str, colour: str, pattern: str, seed: int) -> Item:
    shelf, _, price = FAMILIES[family]
    stem = f"{family}-{colour}-{pattern}".replace(" ", "-").lower()
    return Item(
        sku=f"SL-{stem.upper()}",
        title=f"{colour} {family}" if pattern == "plain" else f"{colour} {family}, {pattern}",
        category=shelf,
        photo_name=f"{stem}.jpg",
        photo=partial(_jpeg, family, colour, pattern, seed),
        price=Decimal(price + 2 * list(PATTERNS).index(pattern)),
        description=TEXTS[family],
    )


def _jpeg(family: str, colour: str, pattern: str, seed: int) -> bytes:
    buffer = io.BytesIO()
    drawn_picture(family, colour, pattern, seed=seed).save(buffer, "JPEG", quality=90)
    return buffer.getvalue()
