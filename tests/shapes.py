"""One way to speak to every model shape of the test shop."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from imgrec.spaces import SpaceDefinition, space_by_label
from tests.otherapp import models as other
from tests.pictures import upload
from tests.testapp import models


@dataclass(frozen=True)
class Shape:
    """How one kind of shop stores a product and its photo."""

    name: str
    label: str
    item: type[Any]
    photo: type[Any] | None = None  # the model of the photos, when it is not the item
    relation: str = ""

    @property
    def space(self) -> SpaceDefinition:
        """The space the shape's photos are in."""
        found = space_by_label(self.label)
        assert found is not None
        return found

    def make(self, hue: float | None, **values: Any) -> Any:
        """Save a product with a photo of that hue (None: without a photo)."""
        if self.photo is None:
            return self.item.objects.create(**{self.space.source: _file(hue)}, **values)
        item = self.item.objects.create(**values)
        if hue is not None:
            self.photo.objects.create(**{self.relation: item, self.space.source: _file(hue)})
        return item

    def owner(self, item: Any) -> Any:
        """Return a fresh copy of the row that owns the item's photo."""
        if self.photo is None:
            return type(item).objects.get(pk=item.pk)
        return self.photo.objects.get(**{self.relation: item.pk})

    def change_photo(self, item: Any, hue: float | None) -> Any:
        """Replace (or clear) the photo and save."""
        owner = self.owner(item)
        setattr(owner, self.space.source, _file(hue))
        owner.save()
        return owner


def _file(hue: float | None) -> Any:
    return "" if hue is None else upload(hue)


SHAPES = [
    Shape("integer key", "testapp.product.embedding", models.Product),
    Shape("multi-table child", "testapp.product.embedding", models.LimitedProduct),
    Shape("proxy", "testapp.product.embedding", models.BargainProduct),
    Shape("uuid key", "testapp.uuidproduct.embedding", models.UuidProduct),
    Shape("abstract base", "testapp.poster.embedding", models.Poster),
    Shape("other child of the abstract base", "testapp.postcard.embedding", models.Postcard),
    Shape("two fields, first", "testapp.twospaces.fine", models.TwoSpaces),
    Shape("same name, other app", "otherapp.product.embedding", other.Product),
    Shape("many photos", "testapp.itemphoto.embedding", models.Item, models.ItemPhoto, "item"),
    Shape(
        "not our model",
        "testapp.artworkimageembedding",
        models.Artwork,
        models.ArtworkImage,
        "artwork",
    ),
]
