"""What a page or the API shows of one similar product, whatever the shop's model looks like."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from django.core.files.storage import FileSystemStorage
from django.db.models.fields.files import FieldFile
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from imgrec.results import SimilarProducts, rules_noted
from imgrec.spaces import SpaceDefinition, space_by_label

# Folders and a file that no address writes otherwise, and none of them "..".
_IS_PLAIN = re.compile(r"[\w-][\w.-]*(/[\w-][\w.-]*)*", re.ASCII).fullmatch
_HAS_MARKUP = re.compile("[&<>\"']").search


@dataclass(frozen=True)
class Card:
    """One similar product, ready for a template; ``product`` is the shop's own instance."""

    product: Any
    pk: str  # as text: templates group the digits of numbers in some languages
    title: str
    url: str  # "" when the model has no get_absolute_url()
    photo: str  # address of its photo; of several, of the one that matched; "" without any
    similarity: float  # the cosine, 0..1
    place: str = ""  # where in the photo it is like the other, in words; "" while unknown
    pinned: bool = False  # by a merchant's rule
    boosted: bool = False
    match: int | None = None  # in percent, where it was asked for and can be told

    # Templates ask for a key first, and a refusal costs them time.
    __getitem__ = object.__getattribute__

    @property
    def similarity_text(self) -> str:
        """The similarity as in the article the method is from: ``0.93``."""
        return f"{self.similarity:.2f}"

    @property
    def match_text(self) -> str:
        """The match as shoppers read it, ``87 % match``; "" where it cannot be told."""
        return "" if self.match is None else gettext("%(n)d %% match") % {"n": self.match}


def cards_of(found: SimilarProducts) -> list[Card]:
    """Return a card for each product, in order."""
    space = space_by_label(found.space)
    return [card_of(product, space) for product in found]


def card_of(product: Any, space: SpaceDefinition | None) -> Card:
    """Return the card of one product found in ``space``."""
    photo = photo_of(product, space)
    pinned, boosted = rules_noted(product)
    return Card(
        product=product,
        pk=_harmless(str(product.pk)),
        title=_harmless(str(product)),
        url=_harmless(link_of(product)),
        photo=_harmless(address_of(photo)) if photo else "",
        similarity=product.similarity,
        pinned=pinned,
        boosted=boosted,
        match=getattr(product, "match", None),
    )


def address_of(photo: FieldFile) -> str:
    """Return the address of a photo, ``photo.url``.

    Django takes addresses apart and joins them for each file. For a plain name in its own storage
    of files nothing comes of it, and it is a good part of the time a list takes.
    """
    storage = photo.storage
    is_djangos = storage.__class__ is FileSystemStorage and type(photo).url is FieldFile.url
    base = getattr(storage, "base_url", None)
    if is_djangos and base and _IS_PLAIN(photo.name or ""):
        return f"{base}{photo.name}"
    return str(photo.url)


def _harmless(text: str) -> str:
    """Return a text, known as safe where it needs no escaping: that takes templates long."""
    return text if _HAS_MARKUP(text) else SafeString(text)


def link_of(product: Any) -> str:
    """Return the address of the product's page, or "" when its model has none."""
    link = getattr(product, "get_absolute_url", None)
    return str(link() or "") if link else ""


def photo_of(product: Any, space: SpaceDefinition | None) -> FieldFile | None:
    """Return the photo to show: the product's own, or of several the one that matched."""
    if space is None:
        return None
    found = getattr(product, "matched_image" if space.item else space.source, None)
    return found or None
