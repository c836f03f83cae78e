"""What is decoded at the same time is bounded by its pixels."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager

import pytest

from imgrec import encoding
from imgrec.conf import settings
from imgrec.decoding_room import Room
from imgrec.testing import ColourGrid
from tests.bombs import saved


def test_small_pictures_are_decoded_side_by_side() -> None:
    room, together = Room(), threading.Barrier(4)

    def decode() -> int:
        with room.for_pixels(settings.max_pixels // 4):
            return together.wait(10)

    with ThreadPoolExecutor(4) as threads:
        assert sorted(threads.map(lambda _: decode(), range(4))) == [0, 1, 2, 3]


@pytest.mark.parametrize("share", [0.4, 0.6, 1.0, 3.0])
def test_never_more_than_the_largest_picture_allowed(share: float) -> None:
    room, lock = Room(), threading.Lock()
    inside, most = 0, 0

    def decode() -> None:
        nonlocal inside, most
        with room.for_pixels(int(settings.max_pixels * share)):
            with lock:
                inside += 1
                most = max(most, inside)
            with lock:
                inside -= 1

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(lambda _: decode(), range(60)))
    assert most <= max(1, int(1 / share))


def test_a_picture_that_fails_makes_room() -> None:
    room = Room()
    for _each in range(2):
        with pytest.raises(ValueError, match="broken"), room.for_pixels(settings.max_pixels):
            raise ValueError("broken")


@pytest.mark.parametrize(("kind", "times"), [("JPEG", 1), ("PNG", 1), ("GIF", 1), ("WEBP", 3)])
def test_a_webp_takes_the_room_of_three(
    kind: str, times: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[int] = []
    let_in = encoding.room.for_pixels

    def noting(pixels: int) -> AbstractContextManager[None]:
        taken.append(pixels)
        return let_in(pixels)

    monkeypatch.setattr(encoding.room, "for_pixels", noting)
    encoding.decode(ColourGrid(), saved(kind))
    assert taken == [times * 64 * 64]
