"""Top-k by torch is that of NumPy. On the processor here: the arithmetic is the same one."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from imgrec import accelerator
from imgrec.pairs import blocks, nearest
from tests.unit.test_pairs import catalogue


@pytest.mark.parametrize("k", [5, 40, 300])
def test_the_same_as_numpy(k: int) -> None:
    pytest.importorskip("torch")
    everything = catalogue(200, seed=4)
    chunks = [everything.part(0, 90), everything.part(90, 200)]
    expected = list(nearest(chunks[1], blocks(chunks[1], chunks), k).rows())
    found = list(accelerator.nearest(chunks[1], chunks, k, on="cpu").rows())
    assert len(found) == len(expected) > 50
    for (owner, items, mine), (their_owner, _items, theirs) in zip(found, expected, strict=True):
        assert owner == their_owner
        assert owner not in items
        assert len(set(items.tolist())) == len(items) == len(theirs)
        assert np.abs(mine - theirs).max(initial=0) < 1e-6


def test_nobody_asked_for_finds_nothing() -> None:
    pytest.importorskip("torch")
    everything = catalogue(5)
    assert list(accelerator.nearest(everything.part(0, 0), [everything], 3, on="cpu").rows()) == []


def test_without_torch_there_is_no_device(monkeypatch: pytest.MonkeyPatch) -> None:
    accelerator.device.cache_clear()
    monkeypatch.setattr(accelerator, "find_spec", lambda name: None)
    assert accelerator.device() == ""
    accelerator.device.cache_clear()


def test_without_a_driver_torch_is_not_even_imported() -> None:
    code = (
        "import sys; from imgrec import accelerator\n"
        "accelerator._has_driver = lambda: False\n"
        "assert accelerator.device() == '' and 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
