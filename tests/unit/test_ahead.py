"""Work done in threads: what came of it is not kept any longer than somebody asks for it."""

from __future__ import annotations

import gc
import weakref

import pytest

from imgrec.ahead import Readers


class Picture:
    """Stands for one that takes a hundred megabytes."""


@pytest.mark.parametrize("threads", [0, 2])
def test_a_photo_that_failed_is_let_go_of_at_once(threads: int) -> None:
    """Without the collector, which may not come by for thousands of photos."""
    left: list[weakref.ref[Picture]] = []

    def fail() -> None:
        picture = Picture()
        left.append(weakref.ref(picture))
        raise ValueError

    gc.disable()
    try:
        with Readers(threads) as readers:
            pending = readers.start(fail)
            assert readers.wait(pending, 10)
            with pytest.raises(ValueError):  # noqa: PT011 - it is ours
                pending.result()
        assert left[0]() is None
    finally:
        gc.enable()
