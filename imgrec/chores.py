"""What a worker is told to do, by name: plain functions, whichever queue brings the word.

Each takes ``send``, which has one more worker told of the chore of that name.
"""

from __future__ import annotations

from collections.abc import Callable

from imgrec import indexing, photo_queries, sweep
from imgrec.catalogue_map import making
from imgrec.duplicates import running

Send = Callable[[str], None]

# A chore gives its process back after this long; one more message makes sure work goes on.
SECONDS = 20


def embed_pending(send: Send) -> None:
    """Embed what waits; call one more process to help while there is more than a batch."""
    crowded = indexing.is_crowded()
    if crowded:
        send("imgrec.embed_pending")
    if indexing.work(seconds=SECONDS) and not crowded:
        send("imgrec.embed_pending")


def sweep_all(send: Send) -> None:
    """Find what no signal told us, and have it done."""
    if sweep.sweep():
        send("imgrec.embed_pending")
    if making.waiting():
        send("imgrec.make_maps")


def find_duplicates(send: Send) -> None:
    """Find products with the same photo, for a while; one more message makes it go on."""
    if running.work_through(indexing.active_spaces(), seconds=SECONDS):
        send("imgrec.find_duplicates")


def answer_photos(send: Send) -> None:
    """Embed the photos shoppers wait for."""
    photo_queries.answer_waiting()


def make_maps(send: Send) -> None:
    """Make the maps of catalogues that merchants asked for."""
    making.make_waiting()


CHORES: dict[str, Callable[[Send], None]] = {
    "imgrec.embed_pending": embed_pending,
    "imgrec.sweep": sweep_all,
    "imgrec.find_duplicates": find_duplicates,
    "imgrec.answer_photos": answer_photos,
    "imgrec.make_maps": make_maps,
}
