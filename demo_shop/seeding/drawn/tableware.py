"""Mugs, vases and bowls: things with a round body."""

from __future__ import annotations

from PIL import Image

from demo_shop.seeding.drawn.canvas import Studio, ellipse, ring, turned
from demo_shop.seeding.drawn.palette import SHADE_DARK, Colour, mixed


def mug(studio: Studio, cloth: Image.Image, colour: Colour, wide: float) -> None:
    """``wide`` is about 1; it makes each piece of a family a little different."""
    half, top, foot = 0.2 * wide, 0.46, 0.95
    studio.shadow((0.27, 0.9, 0.86, 1.02))
    handle = ring(0.5 + half, 0.69, (0.15, 0.16), 0.045)
    studio.place(handle, mixed(colour, SHADE_DARK, 0.1), "flat")
    body = turned([(half, top), (half, 0.86), (half * 0.95, 0.93), (half * 0.78, foot)])
    studio.place(body, cloth, "round")
    studio.place(ellipse(0.5, top, half, 0.045), mixed(colour, (255, 255, 255), 0.3), "flat")
    studio.place(ellipse(0.5, top + 0.004, half - 0.016, 0.035), (92, 62, 44), "flat")


def vase(studio: Studio, cloth: Image.Image, colour: Colour, wide: float) -> None:
    neck, belly = 0.075 * wide, 0.21 * wide
    profile = [(neck * 1.25, 0.3), (neck, 0.37), (neck * 1.05, 0.45), (belly, 0.68)]
    studio.shadow((0.26, 0.96, 0.8, 1.08))
    studio.place(turned([*profile, (belly * 0.92, 0.86), (0.11 * wide, 1.03)]), cloth, "round")
    studio.place(ellipse(0.5, 0.3, neck * 1.25, 0.022), mixed(colour, (255, 255, 255), 0.3), "flat")
    studio.place(ellipse(0.5, 0.302, neck * 1.02, 0.015), mixed(colour, SHADE_DARK, 0.7), "flat")


def bowl(studio: Studio, cloth: Image.Image, colour: Colour, wide: float) -> None:
    half = 0.34 * min(wide, 1.08)
    studio.shadow((0.2, 0.9, 0.84, 1.03))
    profile = [(half, 0.66), (half * 0.93, 0.77), (half * 0.66, 0.89), (half * 0.36, 0.95)]
    studio.place(turned([*profile, (half * 0.38, 0.98)]), cloth, "round")
    studio.place(ellipse(0.5, 0.66, half, 0.085), mixed(colour, (255, 255, 255), 0.35), "flat")
    studio.place(ellipse(0.5, 0.668, half - 0.02, 0.07), mixed(colour, SHADE_DARK, 0.22), "round")
