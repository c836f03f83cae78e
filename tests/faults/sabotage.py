"""What goes wrong inside a worker process, when the test says so: see ``controls.py``."""

from __future__ import annotations

import ctypes
import os
import signal
import time
from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Any

from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage
from PIL.Image import Image

from imgrec import lists, looking
from imgrec.repairing import Repair
from imgrec.testing import ColourGrid
from tests.faults.controls import Controls

# A picture of this colour does to a worker what the test says under its name.
KILLER = (1, 2, 3)
# The encoder of a version to come: it sees no colours, and finds others alike.
NEXT = "colour_grid-next"
# What a worker embeds to load the model is no photo.
WARM_UP = (8, 8)
_EMBED = ColourGrid.embed


def install(controls: Controls) -> None:
    """Put trouble into the photo storage, the decoder, the encoder and the list builder."""
    _into_the_storage(controls)
    _into_the_decoder(controls)
    _into_the_encoder(controls)
    _into_the_lists(controls)


def _into_the_storage(controls: Controls) -> None:
    opened = FileSystemStorage._open

    def opening(self: FileSystemStorage, name: str, mode: str = "rb") -> Any:
        file = opened(self, name, mode)
        if mode != "rb":
            return file
        controls.pass_by("photo", os.path.basename(name))
        return _troubled(file, name, controls.heard("storage"))

    FileSystemStorage._open = opening  # type: ignore[method-assign]


def _troubled(file: Any, name: str, trouble: str) -> Any:
    kind, _colon, seconds = trouble.partition(":")
    if kind == "slow":
        time.sleep(float(seconds))
    if kind == "missing":
        file.close()
        raise FileNotFoundError(name)
    if kind == "short":
        with file:
            data = file.read()
        return ContentFile(data[: len(data) // 2], name=name)
    return file


def _into_the_decoder(controls: Controls) -> None:
    decode = looking.decode

    def decoding(embedder: Any, data: bytes) -> Any:
        picture = decode(embedder, data)
        if controls.heard("decoder") and picture.getpixel((0, 0)) == KILLER:
            controls.note("starts", str(os.getpid()))
            _end_of_a_process(controls.heard("decoder"))
        return picture

    looking.decode = decoding  # type: ignore[assignment]


def _into_the_encoder(controls: Controls) -> None:
    embed = _EMBED
    if version := controls.heard("version"):
        ColourGrid.version = version  # type: ignore[assignment,method-assign]
        embed = _colour_blind

    def embedding(self: ColourGrid, pictures: Sequence[Image], /) -> Any:
        controls.note("embedded", *(_told(each) for each in pictures if each.size != WARM_UP))
        if word := controls.heard("encoder"):
            if word.startswith("slow:"):
                time.sleep(float(word[5:]) * len(pictures))
            elif any(each.getpixel((0, 0)) == KILLER for each in pictures):
                controls.note("starts", str(os.getpid()))
                _end_of_a_process(word)
        return embed(self, pictures)

    ColourGrid.embed = embedding  # type: ignore[method-assign]


def _colour_blind(self: ColourGrid, pictures: Sequence[Image]) -> Any:
    return _EMBED(self, [each.convert("L") for each in pictures])


def _told(picture: Image) -> str:
    """Say which process embeds which picture."""
    return f"{os.getpid()} {sha256(picture.tobytes()).hexdigest()}"


def _end_of_a_process(how: str) -> None:
    if how == "kills":
        os.kill(os.getpid(), signal.SIGKILL)
    if how == "hangs":
        # As C code that neither returns nor lets Python run: no thread and no handler of ours
        # gets a turn any more.
        ctypes.PyDLL(None).sleep(600)


def _into_the_lists(controls: Controls) -> None:
    write, holders = lists.write, Repair._holders

    def writing(space: Any, version: str, rows: Iterable[lists.Row]) -> int:
        controls.pass_by("lists", "writing")
        return write(space, version, rows)

    def computed(self: Repair) -> set[Any]:
        controls.pass_by("lists", "computed")  # and no row written, on which others would wait
        return holders(self)

    lists.write = writing  # type: ignore[assignment]
    Repair._holders = computed  # type: ignore[method-assign]
