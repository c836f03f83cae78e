"""The drawn catalogue's colours, as RGB."""

from __future__ import annotations

Colour = tuple[int, int, int]

# Name -> the colour itself, and the lighter or darker one its pattern is drawn with.
COLOURS: dict[str, tuple[Colour, Colour]] = {
    "Terracotta": ((196, 99, 69), (244, 214, 192)),
    "Sage": ((139, 164, 134), (238, 242, 228)),
    "Ocean": ((44, 92, 128), (198, 221, 232)),
    "Mustard": ((221, 168, 54), (115, 74, 28)),
    "Plum": ((122, 62, 94), (236, 205, 216)),
    "Chalk": ((238, 232, 220), (120, 122, 126)),
}

# Walls the things stand in front of; the floor is the same colour, a little darker.
WALLS: list[Colour] = [
    (236, 230, 221),
    (226, 231, 228),
    (232, 226, 229),
    (223, 228, 234),
    (240, 233, 219),
]

WOOD: Colour = (181, 137, 95)
BRASS: Colour = (190, 155, 93)
RUBBER: Colour = (244, 241, 234)
SHADE_DARK: Colour = (58, 54, 50)


def mixed(first: Colour, second: Colour, share: float) -> Colour:
    """The colour ``share`` of the way from the first to the second."""
    return tuple(  # type: ignore[return-value]
        round(a + (b - a) * share) for a, b in zip(first, second, strict=True)
    )
