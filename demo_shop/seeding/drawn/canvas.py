"""A small photographer's studio: wall, floor, light from the left, soft shadows.

Everything is drawn twice as large as it is kept, in units of the picture's width: x runs from 0
to 1, y from 0 to 1.25.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from demo_shop.seeding.drawn.palette import Colour, mixed

WIDTH, HEIGHT = 480, 600
SCALE = WIDTH * 2
SHEET = (WIDTH * 2, HEIGHT * 2)
FLOOR_AT = 0.9

Point = tuple[float, float]
Light = Literal["round", "folds", "flat"]


class Studio:
    """One picture in the making: set things up back to front, then ``photograph``."""

    def __init__(self, wall: Colour, *, tilt: float = 0.0) -> None:
        self.tilt = tilt
        self.sheet = Image.new("RGB", SHEET, wall)
        floor = Image.linear_gradient("L").resize((SHEET[0], round(0.35 * SCALE)))
        self.sheet.paste(mixed(wall, (120, 108, 96), 0.3), (0, round(FLOOR_AT * SCALE)), floor)

    def shadow(self, box: tuple[float, float, float, float], *, strength: float = 0.45) -> None:
        """A blurred ellipse on the floor, darkest in the middle."""
        mask = Image.new("L", SHEET)
        ImageDraw.Draw(mask).ellipse([edge * SCALE for edge in box], fill=round(255 * strength))
        mask = mask.resize((WIDTH // 2, HEIGHT // 2)).filter(ImageFilter.GaussianBlur(7))
        self.sheet.paste((60, 50, 44), mask=mask.resize(SHEET))

    def place(self, mask: Image.Image, surface: Image.Image | Colour, light: Light) -> None:
        """Lay a surface into a mask (mode L, sheet size) and light it."""
        if self.tilt:
            centre = (SCALE / 2, 0.65 * SCALE)
            mask = mask.rotate(self.tilt, Image.Resampling.BILINEAR, center=centre)
        box = mask.getbbox()
        if box is None:
            return
        cut = mask.crop(box)
        flat = surface if isinstance(surface, Image.Image) else Image.new("RGB", SHEET, surface)
        lit = np.asarray(flat.crop(box), dtype=np.float32) * lightness(cut.size, light)[..., None]
        self.sheet.paste(Image.fromarray(lit.clip(0, 255).astype(np.uint8)), box, cut)

    def photograph(self) -> Image.Image:
        """The finished picture, RGB, WIDTH x HEIGHT."""
        return self.sheet.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS)


def lightness(size: tuple[int, int], light: Light) -> np.ndarray:
    """How bright each pixel of a (width, height) surface is: float32 (height, width), about 1."""
    across = np.linspace(0, 1, size[0], dtype=np.float32)[None, :]
    down = np.linspace(0, 1, size[1], dtype=np.float32)[:, None]
    if light == "round":
        gleam = 0.2 * np.exp(-(((across - 0.3) / 0.1) ** 2))
        return 0.6 + 0.46 * np.sin(np.pi * (0.16 + 0.78 * (1 - across))) + gleam - 0.05 * down
    if light == "folds":
        waves = np.sin(across * 17 + down * 3) * np.sin(down * 6 + 1 - across * 4)
        return 1.03 - 0.14 * across - 0.1 * down + 0.045 * waves
    return 1.04 - 0.08 * across - 0.06 * down


def polygon(points: Sequence[Point]) -> Image.Image:
    """A mask with straight edges."""
    mask = Image.new("L", SHEET)
    ImageDraw.Draw(mask).polygon([(x * SCALE, y * SCALE) for x, y in points], fill=255)
    return mask


def smooth(points: Sequence[Point], *, steps: int = 14) -> Image.Image:
    """A mask whose edge is a closed Catmull-Rom curve through the points."""
    curve: list[Point] = []
    count = len(points)
    for index in range(count):
        before, start, end, after = (points[(index + offset) % count] for offset in (-1, 0, 1, 2))
        curve += [_between(before, start, end, after, step / steps) for step in range(steps)]
    return polygon(curve)


def ellipse(x: float, y: float, half_width: float, half_height: float) -> Image.Image:
    """A mask round a centre."""
    mask = Image.new("L", SHEET)
    edges = (x - half_width, y - half_height, x + half_width, y + half_height)
    ImageDraw.Draw(mask).ellipse([edge * SCALE for edge in edges], fill=255)
    return mask


def stroke(points: Sequence[Point], width: float) -> Image.Image:
    """A mask along a line, with round ends and joints."""
    mask = Image.new("L", SHEET)
    draw = ImageDraw.Draw(mask)
    spots = [(x * SCALE, y * SCALE) for x, y in points]
    draw.line(spots, fill=255, width=round(width * SCALE), joint="curve")
    radius = width * SCALE / 2
    for x, y in (spots[0], spots[-1]):
        draw.ellipse([x - radius, y - radius, x + radius, y + radius], fill=255)
    return mask


def ring(x: float, y: float, radius: Point, width: float) -> Image.Image:
    """A mask of an ellipse without its inside."""
    outer = ellipse(x, y, *radius)
    return ImageChops.subtract(outer, ellipse(x, y, radius[0] - width, radius[1] - width))


def turned(profile: Sequence[Point], *, centre: float = 0.5) -> Image.Image:
    """A mask of something from a potter's wheel: (half width, y) pairs, top to bottom."""
    right = [(centre + half, y) for half, y in profile]
    left = [(centre - half, y) for half, y in reversed(profile)]
    return polygon([*_open_curve(right), *_open_curve(left)])


def _open_curve(points: Sequence[Point], *, steps: int = 12) -> list[Point]:
    line = [points[0], *points, points[-1]]
    curve = [
        _between(*line[index : index + 4], step / steps)
        for index in range(len(points) - 1)
        for step in range(steps)
    ]
    return [*curve, points[-1]]


def _between(before: Point, start: Point, end: Point, after: Point, share: float) -> Point:
    """The Catmull-Rom point ``share`` of the way from start to end."""

    def along(a: float, b: float, c: float, d: float) -> float:
        return b + 0.5 * share * (
            c - a + share * (2 * a - 5 * b + 4 * c - d + share * (3 * (b - c) + d - a))
        )

    return (
        along(before[0], start[0], end[0], after[0]),
        along(before[1], start[1], end[1], after[1]),
    )
