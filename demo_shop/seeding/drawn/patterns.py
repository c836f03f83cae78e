"""Cloth and glaze: a flat picture of the size asked for, in two colours."""

from __future__ import annotations

from collections.abc import Callable

from PIL import Image, ImageDraw

from demo_shop.seeding.drawn.palette import Colour, mixed

Size = tuple[int, int]
# Draws on a sheet of this size, in this colour, with this distance between the pattern's repeats.
Pattern = Callable[[ImageDraw.ImageDraw, Size, Colour, float], None]


def plain(draw: ImageDraw.ImageDraw, size: Size, colour: Colour, step: float) -> None:
    """Nothing but the ground."""


def striped(draw: ImageDraw.ImageDraw, size: Size, colour: Colour, step: float) -> None:
    for top in _steps(size[1], step):
        draw.rectangle([0, top, size[0], top + step * 0.38], fill=colour)


def dotted(draw: ImageDraw.ImageDraw, size: Size, colour: Colour, step: float) -> None:
    radius = step * 0.24
    for row, y in enumerate(_steps(size[1], step * 0.86)):
        for x in _steps(size[0], step):
            left = x + (step / 2 if row % 2 else 0)
            draw.ellipse([left - radius, y - radius, left + radius, y + radius], fill=colour)


def checked(draw: ImageDraw.ImageDraw, size: Size, colour: Colour, step: float) -> None:
    for row, y in enumerate(_steps(size[1], step)):
        for column, x in enumerate(_steps(size[0], step)):
            if (row + column) % 2:
                draw.rectangle([x, y, x + step, y + step], fill=colour)


PATTERNS: dict[str, Pattern] = {
    "plain": plain,
    "striped": striped,
    "dotted": dotted,
    "checked": checked,
}


def cloth(pattern: str, size: Size, colours: tuple[Colour, Colour], step: float) -> Image.Image:
    """An RGB sheet: the first colour as the ground, the second one laid over it softened."""
    ground, accent = colours
    sheet = Image.new("RGB", size, ground)
    PATTERNS[pattern](ImageDraw.Draw(sheet), size, mixed(ground, accent, 0.85), step)
    return sheet


def _steps(length: float, step: float) -> list[float]:
    return [index * step for index in range(-1, int(length / step) + 2)]
