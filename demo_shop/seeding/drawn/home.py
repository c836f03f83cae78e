"""Cushions and lamps."""

from __future__ import annotations

from PIL import Image

from demo_shop.seeding.drawn.canvas import Studio, ellipse, polygon, smooth, stroke, turned
from demo_shop.seeding.drawn.palette import BRASS, SHADE_DARK, WOOD, Colour, mixed


def cushion(studio: Studio, cloth: Image.Image, colour: Colour, wide: float) -> None:
    half, middle = 0.3 * min(wide, 1.1), 0.7
    studio.shadow((0.18, 0.94, 0.86, 1.06))
    corner, side = half, half * 1.02
    outline = []
    for across, down in ((-1, -1), (1, -1), (1, 1), (-1, 1)):
        outline.append((0.5 + corner * across, middle + corner * down))
        # Halfway to the next corner, walking clockwise: the seam pulls the sides in a little.
        if across == down:
            outline.append((0.5, middle + side * down))
        else:
            outline.append((0.5 + side * across, middle))
    studio.place(smooth(outline), cloth, "folds")
    seam = mixed(colour, SHADE_DARK, 0.35)
    studio.place(ellipse(0.5, middle, 0.017, 0.017), seam, "flat")


def lamp(studio: Studio, cloth: Image.Image, colour: Colour, wide: float) -> None:
    top, bottom = 0.13 * wide, 0.25 * min(wide, 1.1)
    studio.shadow((0.29, 0.98, 0.77, 1.08))
    studio.place(stroke([(0.5, 0.6), (0.5, 0.86)], 0.02), BRASS, "round")
    base = turned([(0.03, 0.72), (0.1, 0.82), (0.12, 0.92), (0.09, 1.02), (0.09, 1.04)])
    studio.place(base, WOOD, "round")
    shade = [(0.5 - top, 0.28), (0.5 + top, 0.28), (0.5 + bottom, 0.63), (0.5 - bottom, 0.63)]
    studio.place(ellipse(0.5, 0.63, bottom, 0.035), mixed(colour, SHADE_DARK, 0.3), "flat")
    studio.place(polygon(shade), cloth, "round")
    studio.place(ellipse(0.5, 0.28, top, 0.02), mixed(colour, (255, 244, 214), 0.6), "flat")
