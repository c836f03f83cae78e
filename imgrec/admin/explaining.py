"""What the pages "Why similar" and "More like this part" show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import models
from django.http import Http404, HttpRequest
from django.utils.translation import gettext as _

from imgrec import heat, parts
from imgrec.admin import panel
from imgrec.admin.addresses import address, change_url
from imgrec.admin.choosing import PAGE_PARAMETER
from imgrec.admin.numbers import rounded
from imgrec.admin.panel import LookAlike
from imgrec.admin.photos import Photo, photo_of
from imgrec.boxes import Box
from imgrec.errors import ImgrecError
from imgrec.regions import Region
from imgrec.seeds import of_vector
from imgrec.spaces import SpaceDefinition
from imgrec.why import ExplainedPhoto, Explanation, explain

if TYPE_CHECKING:
    from imgrec.admin.mixin import ImgrecAdminMixin

WHOLE = Box(0.0, 0.0, 1.0, 1.0)
MIDDLE = {"x": "25", "y": "25", "w": "50", "h": "50"}


@dataclass(frozen=True)
class Side:
    """One product of the pair: its card, its photo, the heat map over it and in words."""

    card: LookAlike
    photo: Photo
    tiles: list[heat.Tile]
    rows: list[list[heat.Tile]]
    said: str


def product_of(request: HttpRequest, admin: ImgrecAdminMixin, space: SpaceDefinition) -> Any:
    """Return the product the page is about.

    Raises:
        Http404: there is none that this admin shows.
        PermissionDenied: it is none of theirs.
    """
    found = _get(request, admin, space, "product")
    if found is None:
        raise Http404
    if not admin.has_view_permission(request, found):
        raise PermissionDenied
    return found


def why(
    request: HttpRequest, admin: ImgrecAdminMixin, space: SpaceDefinition, product: Any
) -> dict[str, Any]:
    """Return the context of "Why similar"."""
    other = _other(request, admin, space, product)
    context = {"product": product, "again_url": request.get_full_path()}
    context["back_url"] = change_url(product, admin.admin_site)
    try:
        found = explain(product, other, space=space, hidden_too=True)
    except ImgrecError as error:
        return {**context, "trouble": str(error)}
    if found is None:
        trouble = _("One of the two has no vector of the encoder that is served.")
        return {**context, "trouble": trouble}
    pairs = [(product, found.similarity), (other, found.similarity)]
    cards = panel.look_alikes(pairs, space, admin.admin_site)
    photos = found.photo, found.other_photo
    sides = [_side(card, photo) for card, photo in zip(cards, photos, strict=True)]
    part_url = address(admin, "part", space, product=product.pk)
    return {**context, "found": found, "sides": sides, "part_url": part_url, **_numbers(found)}


def part(
    request: HttpRequest, admin: ImgrecAdminMixin, space: SpaceDefinition, product: Any
) -> dict[str, Any]:
    """Return the context of "More like this part"."""
    seen = parts.photo_of(space, space.item_key(product), space.using, hidden_too=True)
    context: dict[str, Any] = {
        "product": product,
        "back_url": change_url(product, admin.admin_site),
        "again_url": request.get_full_path(),
        # the form asks for the same page, of the same product
        "kept": [(PAGE_PARAMETER, space.label), ("product", product.pk)],
        "fields": {name: request.GET.get(name, MIDDLE[name]) for name in MIDDLE},
    }
    if seen is None:
        return {**context, "trouble": _("This product has no vector of the encoder served.")}
    source = space.source_field
    owner = space.model(**{space.source: source.attr_class(None, source, seen.name)})
    context["photo"] = photo_of(owner, space)
    try:
        asked = parts.asked_part(request.GET)
        if asked:
            vector = parts.vector_of(space, seen, Box.of(*asked))
            found = panel.search(product, space, of_vector(vector))
            context["found"] = panel.look_alikes(found, space, admin.admin_site)
    except (ImgrecError, ValueError) as error:
        context["trouble"] = str(error)
    return context


def _get(
    request: HttpRequest, admin: ImgrecAdminMixin, space: SpaceDefinition, name: str
) -> models.Model | None:
    if not issubclass(admin.model, space.item_model):
        return None  # the admin of photos: products have theirs
    found: models.Model | None = admin.get_object(request, request.GET.get(name, ""))
    return found


def _other(
    request: HttpRequest, admin: ImgrecAdminMixin, space: SpaceDefinition, product: Any
) -> models.Model:
    """Return the other product: one that this admin shows, or that is in the product's panel."""
    found = _get(request, admin, space, "other")
    if found is not None and admin.has_view_permission(request, found):
        return found
    try:
        key = space.item_model._meta.pk.to_python(request.GET.get("other", ""))
    except ValidationError as error:
        raise Http404 from error
    other: models.Model | None = panel.every_item(space).filter(pk=key).first()
    if other is None or not panel.is_shown(product, key, space):
        raise Http404
    return other


def _side(card: LookAlike, photo: ExplainedPhoto) -> Side:
    tiles = heat.tiles(photo.cells, photo.seen)
    columns = photo.cells.shape[1]
    rows = [tiles[begin : begin + columns] for begin in range(0, len(tiles), columns)]
    try:
        shown = Photo(photo.image.name or "", str(photo.image.url))
    except Exception:  # noqa: BLE001 - any storage's; the page must not fail for it
        shown = Photo(photo.image.name or "")
    return Side(card, shown, tiles, rows, _said(photo.regions))


def _said(regions: list[Region]) -> str:
    if not regions:
        return _("All of the photo counts alike.")
    first, *rest = (
        _("%(place)s (%(share)s %% of the score, on %(area)s %% of the surface)")
        % {
            "place": each.place.label,
            "share": rounded(100 * each.share),
            "area": rounded(100 * each.area),
        }
        for each in regions
    )
    if rest:
        return _("Most of all: %(first)s, and %(second)s.") % {"first": first, "second": rest[0]}
    return _("Most of all: %(first)s.") % {"first": first}


def _numbers(found: Explanation) -> dict[str, Any]:
    return {
        "similarity": rounded(found.similarity, 4),
        "cosine": rounded(found.cosine, 4),
        "distance": rounded(found.distance, 6),
        "sees_all": all(each.seen == WHOLE for each in (found.photo, found.other_photo)),
    }
