"""The read use case: similar products, from the stored list if it suffices, else live."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, BinaryIO

from django.db import models
from django.db.models import Exists, F, Func, IntegerField, OuterRef, QuerySet, Value

from imgrec import live, photo_queries
from imgrec.conf import settings
from imgrec.guest import guarded
from imgrec.matching import note_photos, note_photos_like
from imgrec.queryset import seed_key
from imgrec.results import SimilarProducts
from imgrec.served import is_served, served_space
from imgrec.spaces import SpaceDefinition, all_spaces, spaces_of
from imgrec.visibility import item_path, recommendable, visible


def similar_products(
    seed: models.Model,
    *,
    limit: int = 8,
    among: QuerySet[Any] | None = None,
    min_similarity: float | None = None,
    space: SpaceDefinition | None = None,
) -> SimilarProducts:
    """Return at most ``limit`` products that look like ``seed``, the most similar first.

    Args:
        seed: a product. Hidden, unsaved or without a vector: the answer is empty.
        limit: how many; fewer come only when fewer are eligible.
        among: a queryset of products to choose from, e.g. of one brand.
        min_similarity: nothing less similar (0..1); default ``IMGREC["min_similarity"]``.
        space: search here rather than in the space that is served.

    Returns:
        A list of the shop's own instances, each with ``.similarity`` (0..1); with several
        photos a product also ``.matched_photo`` and ``.seed_photo``, the keys of the best pair,
        and ``.matched_image``, the file of the former.

    Raises:
        LookupError: the model has no ImageEmbeddingField.
        ValueError: ``limit``, ``among``, or ``seed`` in ``space``, cannot be used; the message
            says what can.
    """
    spaces = [space] if space else spaces_of(type(seed))
    if not spaces:
        served_space(type(seed))  # raises with the models that have one
    key = seed_key(spaces[0], seed)
    rows = _candidates(spaces[0], among, limit).exclude(**{item_path(spaces[0]): key})
    least = settings.min_similarity if min_similarity is None else min_similarity
    if key is None or limit == 0:
        return SimilarProducts()
    with guarded(rows.db):
        found = _from_list(seed, spaces, rows, limit, least)
        if found is None:
            chosen = space or served_space(type(seed))
            found = live.similar_to_seed(chosen, seed, recommendable(chosen, rows), limit, least)
        note_photos(found, seed, rows.db)
    return found


def similar_to_photo(
    photo: BinaryIO | bytes,
    *,
    model: type[models.Model] | None = None,
    limit: int = 8,
    among: QuerySet[Any] | None = None,
    min_similarity: float | None = None,
) -> SimilarProducts:
    """Return products that look like a shopper's photo, embedded by a worker.

    Waits at most ``photo_wait_seconds``; reads at most ``max_upload_bytes`` + 1 bytes.

    Raises:
        PictureError: the photo cannot be used; ``code`` says why.
        PhotoSearchUnavailable: switched off, or no worker answered.
        LookupError: ``model`` (or ``among``) is needed to tell which products are meant.
    """
    space = served_space(model or (among.model if among is not None else _only_model()))
    rows = _candidates(space, among, limit)
    least = settings.min_similarity if min_similarity is None else min_similarity
    data = photo if isinstance(photo, bytes) else photo.read(settings.max_upload_bytes + 1)
    vector = photo_queries.ask(space, data)
    with guarded(rows.db):
        eligible = recommendable(space, rows)
        found = live.similar_to_vectors(space, [vector], eligible, limit, least)
        note_photos_like(found, vector, rows.db)
    return found


def _only_model() -> type[models.Model]:
    found = {space.item_model for space in all_spaces()}
    if len(found) != 1:
        names = ", ".join(sorted(model._meta.label for model in found)) or "none"
        raise LookupError(f"Say which products are meant: model=… (models with a field: {names}).")
    return found.pop()


def _candidates(space: SpaceDefinition, among: QuerySet[Any] | None, limit: int) -> QuerySet[Any]:
    """Return the rows to choose from, as the caller says, each of them once."""
    if limit < 0:
        raise ValueError(f"limit={limit}: 0 or more.")
    everything: QuerySet[Any] = space.item_model._default_manager.all()
    rows: Any = everything if among is None else among.all()
    problem = ""
    if not issubclass(rows.model, space.item_model):
        problem = f"is of {rows.model._meta.label}, not of {space.item_model._meta.label}"
    elif rows.query.is_sliced:
        problem = "is sliced: pass it unsliced, limit= cuts the result"
    elif rows.query.combinator:
        problem = "is a union: use | or Q objects"
    elif rows._fields is not None:
        problem = "gives values(): pass instances, with only() if you want less"
    elif rows.query.distinct_fields:
        problem = "uses distinct() on fields: use distinct() alone"
    if problem:
        raise ValueError(f"among= {problem}.")
    chosen: QuerySet[Any] = rows.distinct() if _joins_many(rows) else rows
    return chosen


def _joins_many(rows: QuerySet[Any]) -> bool:
    """Return whether a join may give a product several times (``filter(tags__name__in=…)``)."""
    used = rows.query.alias_refcount
    joins = (join for alias, join in rows.query.alias_map.items() if used[alias])
    fields: list[Any] = [join.join_field for join in joins if hasattr(join, "join_field")]
    return any(field.one_to_many or field.many_to_many for field in fields)


def _from_list(
    seed: models.Model,
    spaces: Sequence[SpaceDefinition],
    rows: QuerySet[Any],
    limit: int,
    least: float,
) -> SimilarProducts | None:
    """Return products from the stored list, or None when it cannot tell enough.

    Two SELECTs: the list of whichever space is served, and the products themselves.
    """
    stored = _stored_list(seed, spaces, rows.db)
    if stored is None:
        return None
    label, keys, similarities = stored
    space = next(each for each in spaces if each.label == label)
    wanted = {k: s for k, s in zip(keys, similarities, strict=True) if s >= least}
    eligible = recommendable(space, rows)
    found = SimilarProducts(_in_order(eligible, space, list(wanted), limit), label, "list")
    for product in found:
        product.similarity = wanted[space.item_key(product)]
    says_all = len(wanted) < len(keys) or len(keys) < _full_enough()
    return found if len(found) == limit or says_all else None


def _full_enough() -> int:
    """Return the length below which a stored list holds all there is."""
    return min(settings.refill_below, settings.stored_neighbours)


def _stored_list(
    seed: models.Model, spaces: Sequence[SpaceDefinition], using: str
) -> tuple[str, list[Any], list[float]] | None:
    parts = []
    for space in spaces:
        shown = visible(space, space.item_model._base_manager.all()).filter(pk=OuterRef("owner"))
        lists = space.list_model.objects.using(using).filter(
            Exists(shown), owner=space.item_key(seed)
        )
        if len(spaces) > 1 or spaces_of(type(seed)) == list(spaces):
            lists = lists.filter(Exists(is_served(space, "version")))
        parts.append(lists.values_list(Value(space.label), "neighbours", "similarities"))
    read = parts[0].union(*parts[1:], all=True) if len(parts) > 1 else parts[0]
    return next(iter(read), None)


def _in_order(
    rows: QuerySet[Any], space: SpaceDefinition, keys: list[Any], limit: int
) -> list[Any]:
    """Fetch the first ``limit`` of these products that the filters leave, in this order."""
    if not keys:
        return []
    order = Value(keys, output_field=space.list_model._meta.get_field("neighbours"))
    place = Func(order, F(item_path(space)), function="array_position", output_field=IntegerField())
    return list(
        rows.filter(**{f"{item_path(space)}__in": keys})
        .alias(_place=place)
        .order_by("_place")[:limit]
    )
