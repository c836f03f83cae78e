"""Why two products are similar: which regions of their photos made the score, exactly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import models, router
from django.db.models.fields.files import FieldFile

from imgrec import photo_queries
from imgrec.boxes import Box
from imgrec.feature_maps import Cells, FeatureMap, contributions, cosine
from imgrec.mapping import explaining
from imgrec.queryset import seed_key
from imgrec.regions import Region, strongest
from imgrec.seen_photos import SeenPhoto, seen_photos
from imgrec.served import served_space
from imgrec.spaces import SpaceDefinition

# As far as halves and a reduced precision of the network move a cosine.
CLOSE = 2e-3


@dataclass(frozen=True, eq=False)
class ExplainedPhoto:
    """One photo of a pair: what each of its cells adds to the cosine of the two.

    ``cells`` (rows, columns) sum to it; they lie over ``seen``, a part of the whole photo.
    """

    key: Any  # of the row that owns it
    image: FieldFile
    cells: Cells
    seen: Box

    @property
    def regions(self) -> list[Region]:
        """The one or two places of nine that stand out."""
        return strongest(self.cells, self.seen)


@dataclass(frozen=True, eq=False)
class Explanation:
    """Why ``product`` shows ``other``.

    ``similarity``: the stored one, 0..1; ``rank``: 1 for the first of the stored list, None when
    it is not in it. ``cosine``: of the two maps, what the cells of either photo sum to.
    ``is_fitted``: the encoder inside explains, whose cosine is another than the fitted one's.
    """

    product: models.Model
    other: models.Model
    similarity: float
    rank: int | None
    cosine: float
    photo: ExplainedPhoto
    other_photo: ExplainedPhoto
    is_fitted: bool

    @property
    def distance(self) -> float:
        """How far the cosine of the maps is from the stored similarity."""
        return abs(max(0.0, self.cosine) - self.similarity)

    @property
    def is_close(self) -> bool:
        """Whether they are the same but for rounding; else a photo has changed since."""
        return self.distance <= CLOSE


def explain(
    product: models.Model,
    other: models.Model,
    *,
    space: SpaceDefinition | None = None,
    hidden_too: bool = False,
) -> Explanation | None:
    """Return which regions of both photos made the similarity of two products.

    Of products with several photos the best pair, as everywhere. None when one of them is hidden,
    unknown, or not embedded by the encoder that is served; ``hidden_too``: hidden ones as well, for
    a merchant. Each photo whose map is not kept costs a worker one pass, and the page a wait of
    at most ``photo_wait_seconds``.

    Raises ``PhotoSearchUnavailable``, ``PictureError``, ``NoFeatureMap``, ``LookupError``.
    """
    space = space or served_space(type(product))
    using = router.db_for_read(space.item_model)
    keys = seed_key(space, product), seed_key(space, other)
    if None in keys:
        return None
    photos = seen_photos(space, keys, using, hidden_too=hidden_too)
    if not all(photos.get(key) for key in keys):
        return None
    pair = _best_pair(photos[keys[0]], photos[keys[1]])
    return _explained(space, (product, other), pair, _stored(space, *keys, using))


def _best_pair(own: list[SeenPhoto], others: list[SeenPhoto]) -> tuple[SeenPhoto, SeenPhoto]:
    pairs = [(one, two) for one in own for two in others]
    return max(pairs, key=lambda pair: float(pair[0].vector @ pair[1].vector))


def _stored(
    space: SpaceDefinition, key: Any, other: Any, using: str
) -> tuple[int | None, float | None]:
    """Return rank and similarity in the stored list, or two times None."""
    lists = space.list_model._base_manager.using(using).filter(owner=key)
    row = lists.values_list("neighbours", "similarities").first()
    if row is None or other not in row[0]:
        return None, None
    place = row[0].index(other)
    return place + 1, float(row[1][place])


def _explained(
    space: SpaceDefinition,
    products: tuple[models.Model, models.Model],
    pair: tuple[SeenPhoto, SeenPhoto],
    stored: tuple[int | None, float | None],
) -> Explanation:
    one, two = (photo_queries.ask_map(space, each.name, each.digest) for each in pair)
    rank, similarity = stored
    if similarity is None:
        similarity = min(max(float(pair[0].vector @ pair[1].vector), 0.0), 1.0)
    return Explanation(
        *products,
        similarity=similarity,
        rank=rank,
        cosine=cosine(one, two),
        photo=_photo(space, pair[0], one, two),
        other_photo=_photo(space, pair[1], two, one),
        is_fitted=explaining(space.embedder) is not space.embedder,
    )


def _photo(
    space: SpaceDefinition, seen: SeenPhoto, own: FeatureMap, other: FeatureMap
) -> ExplainedPhoto:
    source = space.source_field
    image: FieldFile = source.attr_class(None, source, seen.name)
    return ExplainedPhoto(seen.key, image, contributions(own, other), own.seen)
