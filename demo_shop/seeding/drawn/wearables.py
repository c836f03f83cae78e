"""T-shirts, bags and shoes."""

from __future__ import annotations

from math import cos, pi, sin

from PIL import Image

from demo_shop.seeding.drawn.canvas import Studio, ellipse, polygon, smooth, stroke
from demo_shop.seeding.drawn.palette import RUBBER, SHADE_DARK, Colour, mixed

ARC = [pi * step / 24 for step in range(25)]


def t_shirt(studio: Studio, cloth: Image.Image, colour: Colour, wide: float) -> None:
    half = 0.235 * wide
    left, right = 0.5 - half, 0.5 + half
    studio.shadow((left - 0.02, 0.3, right + 0.06, 1.1), strength=0.22)
    studio.place(ellipse(0.5, 0.305, 0.085, 0.028), mixed(colour, SHADE_DARK, 0.55), "flat")
    neck = [(0.585, 0.3), (0.562, 0.338), (0.53, 0.36), (0.5, 0.366), (0.47, 0.36)]
    neck += [(0.438, 0.338), (0.415, 0.3)]
    outline = [*neck, (left, 0.35), (left - 0.14, 0.56), (left - 0.02, 0.62), (left, 0.56)]
    outline += [(left, 1.06), (right, 1.06), (right, 0.56), (right + 0.02, 0.62)]
    outline += [(right + 0.14, 0.56), (right, 0.35)]
    studio.place(polygon(outline), cloth, "folds")
    studio.place(stroke(neck, 0.018), mixed(colour, SHADE_DARK, 0.2), "flat")


def tote_bag(studio: Studio, cloth: Image.Image, colour: Colour, wide: float) -> None:
    half = 0.25 * wide
    strap = mixed(colour, SHADE_DARK, 0.28)
    studio.shadow((0.22, 0.98, 0.86, 1.1))
    for depth, tone in ((0.03, 0.25), (0.0, 0.0)):
        arch = [(0.5 + half * 0.5 * cos(turn), 0.56 - (0.28 + depth) * sin(turn)) for turn in ARC]
        studio.place(stroke(arch, 0.03), mixed(strap, SHADE_DARK, tone), "flat")
    studio.place(_trapezium(half, half * 1.1, 0.54, 1.04), cloth, "folds")
    studio.place(_trapezium(half, half * 1.01, 0.54, 0.57), strap, "flat")


def shoe(studio: Studio, cloth: Image.Image, colour: Colour, wide: float) -> None:
    high = 0.56 - 0.1 * (wide - 1)
    studio.shadow((0.1, 0.9, 0.93, 1.01), strength=0.5)
    upper = [(0.15, high), (0.25, high - 0.015), (0.36, high + 0.01), (0.5, 0.7), (0.7, 0.77)]
    upper += [(0.86, 0.83), (0.88, 0.92), (0.5, 0.94), (0.15, 0.93), (0.13, 0.75)]
    studio.place(smooth(upper), cloth, "folds")
    studio.place(smooth([(0.72, 0.775), (0.86, 0.815), (0.9, 0.91), (0.72, 0.945)]), RUBBER, "flat")
    opening = [(0.155, high + 0.005), (0.25, high - 0.012)]
    opening += [(0.35, high + 0.015), (0.25, high + 0.03)]
    studio.place(smooth(opening), mixed(colour, SHADE_DARK, 0.6), "flat")
    sole = [(0.11, 0.89), (0.5, 0.91), (0.9, 0.89), (0.9, 0.96), (0.5, 0.97), (0.12, 0.96)]
    studio.place(smooth(sole), RUBBER, "round")
    for step in range(4):
        x, y = 0.41 + step * 0.062, high + 0.06 + step * 0.042
        studio.place(stroke([(x - 0.035, y + 0.035), (x + 0.03, y)], 0.014), RUBBER, "flat")


def _trapezium(upper: float, lower: float, top: float, bottom: float) -> Image.Image:
    """A mask between two half widths."""
    left = [(0.5 - lower, bottom), (0.5 - upper, top)]
    return polygon([*left, (0.5 + upper, top), (0.5 + lower, bottom)])
