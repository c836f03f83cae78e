"""All figures of a space's lists, and how far two spaces agree."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from django.db import transaction

from imgrec import reading, recall
from imgrec.errors import WeightsUnavailable
from imgrec.evaluation import copies, labels, metrics, photos, ranked
from imgrec.evaluation.copies import Copies
from imgrec.evaluation.labels import Labelled
from imgrec.evaluation.metrics import Floats, Hubness, Places
from imgrec.evaluation.photos import OwnPhotos
from imgrec.evaluation.ranked import Ranked, Watch
from imgrec.reading import Vectors
from imgrec.spaces import SpaceDefinition
from imgrec.visibility import item_path, recommendable

MOST_LABELS = 20  # told by name, the worst first


@dataclass(frozen=True)
class Catalogue:
    """A space's vectors, and keys: of products that may be asked, and of those in lists."""

    space: SpaceDefinition
    version: str
    vectors: Vectors
    asked: list[Any]
    allowed: set[Any]
    is_whole: bool  # every product that may be seen is asked

    def among(self, keys: Collection[Any]) -> Catalogue:
        """Return the part of it that these products are."""
        kept = np.fromiter((key in keys for key in self.vectors.items.tolist()), bool)
        part = Vectors(self.vectors.items[kept], self.vectors.matrix[kept])
        asked = [key for key in self.asked if key in keys]
        allowed = {key for key in self.allowed if key in keys}
        return Catalogue(self.space, self.version, part, asked, allowed, self.is_whole)


@dataclass(frozen=True)
class Evaluation:
    """What was found out about one space; None is what was not asked for or cannot be told."""

    catalogue: Catalogue
    k: int
    ranked: Ranked
    labelled: Labelled | None
    hubness: Hubness | None
    own_photos: OwnPhotos | None
    copies: Copies | None = None
    no_copies: str = ""  # why not

    def figures(self) -> dict[str, Any]:
        """Return everything as plain values, for JSON."""
        found: dict[str, Any] = {
            "label": self.catalogue.space.label,
            "version": self.catalogue.version,
            "products": len(self.ranked.items),
            "asked": len(self.ranked.own),
            "k": self.k,
            "judged": self.labelled and self.labelled.figures(),
            "worst_labels": self.worst_labels(),
        }
        for name in ("hubness", "own_photos", "copies"):
            value = getattr(self, name)
            found[name] = value and asdict(value)
        return found | ({"no_copies": self.no_copies} if self.no_copies else {})

    def worst_labels(self) -> list[dict[str, Any]]:
        """Return the labels whose lists are worst, with their mAP."""
        if self.labelled is None:
            return []
        found = labels.by_label(self.labelled, self.ranked.own)[:MOST_LABELS]
        return [{"name": name, "judged": count, "map": score} for name, count, score in found]

    def worst_first(self) -> list[int]:
        """Return rows of the lists: what fails its label most, or is least like its best."""
        near = self.ranked.similarities[:, 0] if self.k else np.zeros(len(self.ranked.own))
        if self.labelled is None:
            return [int(row) for row in np.argsort(near, kind="stable")]
        scores = self.labelled.average_precision
        order = np.lexsort((near, np.nan_to_num(scores, nan=2.0)))
        return [int(row) for row in order]


def read(space: SpaceDefinition, queries: int | None, *, seed: int = 0) -> Catalogue:
    """Read what shoppers may see of a space; ask ``queries`` products drawn by chance, or all.

    Memory: vectors * dimensions * 4 B, twice for a moment.
    """
    version = recall.served_version(space)
    asked = recall.seeds(space, queries, seed=seed)
    rows = recommendable(space, space.item_model._base_manager.using(space.using)).order_by()
    allowed = set(rows.values_list(item_path(space), flat=True).iterator(10_000))
    with transaction.atomic(using=space.using):
        vectors = reading.read(space, version)
    whole = queries is None or len(asked) < queries
    return Catalogue(space, version, vectors, asked, allowed, whole)


def evaluate(
    catalogue: Catalogue, k: int, label: str | None = None, watch: Watch = lambda done: None
) -> Evaluation:
    """Rank, and measure everything that needs no encoder. ``watch`` is told of products done.

    Raises:
        ValueError: the label is no column.
    """
    names = labels.labels_of(catalogue.space, label) if label else {}
    vectors, asked = catalogue.vectors, catalogue.asked
    found = ranked.rank(vectors, asked, catalogue.allowed, k, watch)
    allowed = places_of(found, catalogue.allowed)
    return Evaluation(
        catalogue=catalogue,
        k=k,
        ranked=found,
        labelled=None
        if label is None or names is None
        else labels.judge(found, allowed, label, names),
        hubness=metrics.hubness(found.places, allowed) if catalogue.is_whole else None,
        own_photos=photos.own_photos(vectors, asked, k) if catalogue.space.item else None,
    )


def copies_of(
    catalogue: Catalogue, count: int, watch: Watch = lambda done: None
) -> tuple[Copies | None, str]:
    """Let copies of so many products' photos look for their originals; or return why not."""
    sample = catalogue.asked[:count]
    try:
        found = copies.find_originals(
            catalogue.space, catalogue.version, catalogue.vectors, sample, watch
        )
    except (WeightsUnavailable, ValueError) as error:
        return None, str(error)
    return found, ""


@dataclass(frozen=True)
class Agreement:
    """Lists of two spaces for the same products: ``overlap`` of each (n), 0..1, by row of both."""

    a: Ranked
    b: Ranked
    overlap: Floats

    def figures(self) -> dict[str, Any]:
        """Return the mean, and how many lists differ altogether."""
        return {
            "asked": len(self.overlap),
            "overlap": metrics.mean(self.overlap),
            "nothing_shared": int((self.overlap == 0).sum()),
        }

    def changed_first(self) -> list[int]:
        """Return rows, those first whose lists share least."""
        return [int(row) for row in np.argsort(np.nan_to_num(self.overlap, nan=2.0), kind="stable")]


def agreement(a: Ranked, b: Ranked) -> Agreement:
    """Compare lists of the same asked products.

    Raises:
        ValueError: they are of different products.
    """
    if a.items.tolist() != b.items.tolist() or not np.array_equal(a.own, b.own):
        raise ValueError("the lists are of different products")
    return Agreement(a, b, metrics.overlap(a.places, b.places))


def places_of(found: Ranked, keys: Collection[Any]) -> Places:
    """Return the places of these keys."""
    return np.flatnonzero([key in keys for key in found.items.tolist()])
