"""The square a network looks at, scaled by torch: Pillow's pixels in half of its time."""

from __future__ import annotations

from typing import Any

import numpy as np
from PIL.Image import Image, Resampling

from imgrec.embedders.framing import Frame
from imgrec.embedders.protocol import Prepared

# Elsewhere torch has no way of its own for pixels of bytes and takes longer than Pillow.
PROCESSORS = ("AVX2", "AVX512")
MODES = {Resampling.BILINEAR: "bilinear", Resampling.BICUBIC: "bicubic"}
# torch scales all of a picture, Pillow only what the square shows: less than half of longer ones.
LONGEST = 2


def cut(frame: Frame, picture: Image) -> Prepared:
    """Return what ``frame.cut`` returns, some values one more or less."""
    torch = _torch()
    shorter, longer = sorted(picture.size)
    if torch is None or longer > LONGEST * shorter or frame.resample not in MODES:
        return frame.cut(picture)
    height, top = frame.scaled(picture.height, shorter)
    width, left = frame.scaled(picture.width, shorter)
    torch.set_num_threads(1)  # of the thread that calls: pictures are prepared side by side
    # np.array, not asarray: torch warns of memory that it may not write to
    pixels = torch.from_numpy(np.array(picture)).permute(2, 0, 1)[None]
    scaled = torch.nn.functional.interpolate(
        pixels, size=(height, width), mode=MODES[frame.resample], antialias=True
    )
    square = scaled[0, :, top : top + frame.crop, left : left + frame.crop]
    return np.ascontiguousarray(square.permute(1, 2, 0).numpy())


def _torch() -> Any:
    """Return torch where it is faster, else None."""
    try:
        import torch
    except ImportError:
        return None
    return torch if torch.backends.cpu.get_cpu_capability() in PROCESSORS else None
