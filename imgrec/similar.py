"""The read use case: similar products, from the stored list if it suffices, else live."""

from __future__ import annotations

import time
from typing import Any, BinaryIO

from django.db import models
from django.db.models import QuerySet

from imgrec import live, matches, photo_queries, ways
from imgrec.among import candidates
from imgrec.answering import Question
from imgrec.boxes import Box
from imgrec.conf import settings
from imgrec.guest import reading
from imgrec.pool import Search
from imgrec.results import SimilarProducts, note_rules_of
from imgrec.search_settings import pool_settings
from imgrec.seeds import of_vector
from imgrec.served import likely_served, served_space
from imgrec.several import Several, weights_of
from imgrec.spaces import SpaceDefinition, all_spaces
from imgrec.steering import unblocked
from imgrec.visibility import recommendable
from imgrec.wishes import Wish

Part = tuple[float, float, float, float]  # left, top, width, height


def similar_products(
    seed: Several,
    *,
    limit: int = 8,
    among: QuerySet[Any] | None = None,
    min_similarity: float | None = None,
    min_match: float | None = None,
    space: SpaceDefinition | None = None,
    less_like: Several | None = None,
    group_by: str | None = None,
    fold: float | None = None,
    diversity: float | None = None,
    price_band: float | None = None,
    rule_set: str = "",
    after: str | None = None,
) -> SimilarProducts:
    """Return at most ``limit`` products that look like ``seed``, the most similar first.

    Args:
        seed: a product, several, or ``{product: weight}``. Hidden, unsaved or without a vector:
            ignored; when none is left, the answer is empty.
        limit: how many; fewer come only when fewer are eligible.
        among: a queryset of products to choose from, e.g. of one brand.
        min_similarity: nothing less similar (0..1); default ``IMGREC["min_similarity"]``.
        min_match: nothing that matches less, in percent: 95 leaves what is more similar than 95 of
            100 pairs drawn by chance from the product's category (``IMGREC["category"]``). With
            it, also 0, each result has ``.match``.
        space: search here rather than in the space that is served.
        less_like: products to keep away from, in the forms of ``seed``.
        group_by: a path such as ``"parent"`` or ``"brand__name"``, over the product's own columns
            and foreign keys: of each value only the best comes, and none of the seed's own. A
            key to the same model makes one group of a parent and its variants.
        fold: of products as similar as this to each other (0.97, say) only the best comes, and
            none that is so similar to the seed. The same goes for products that somebody called
            variants of each other at the duplicate desk.
        diversity: 0 (the most similar) to 1 (the most different from each other): maximal
            marginal relevance among the nearest.
        price_band: only what costs about as much as ``seed``: 0.3 is 30 % less to 30 % more.
            ``IMGREC["price"]`` says where products have their price.
        rule_set: the named set of a merchant's rules that hold here, beside those that always do.
        after: the ``.next`` of the page before this one. Not with ``diversity``.

    Returns:
        A list of the shop's own instances, each with ``.similarity`` (0..1), where asked for also
        ``.match`` (0..100, None before the space is calibrated); with several
        photos a product also ``.matched_photo`` and ``.seed_photo``, the keys of the best pair,
        and ``.matched_image``, the file of the former. Its ``.next`` is a token for the next page.
        ``.pinned`` and ``.boosted``: whether a merchant's rule made a product's place.

    Raises:
        LookupError: the model has no ImageEmbeddingField.
        ValueError: an argument, or several of them together, cannot be used; the message says
            what can.
    """
    started = time.perf_counter()
    likes, dislikes = (
        weights_of("seed", seed),
        weights_of("less_like", [] if less_like is None else less_like),
    )
    wish = Wish.of(
        limit=limit,
        min_similarity=min_similarity,
        min_match=min_match,
        group_by=group_by,
        fold=fold,
        diversity=diversity,
        price_band=price_band,
        rule_set=rule_set,
    )
    if not likes:
        return SimilarProducts()
    asked = [(each.pk, weight) for each, weight in likes]
    wish = wish.beginning_after(after, [*asked, *((each.pk, -w) for each, w in dislikes)])
    chosen = space or likely_served(type(likes[0][0]))
    question = Question(likes, dislikes, wish, among, is_given=space is not None)
    choice = question.choice(chosen)
    if limit == 0 or not choice.likes:
        return SimilarProducts()
    with reading(choice.using, **pool_settings(chosen)):
        found = question.answer(choice)
    note_rules_of(found)
    ways.note(chosen.item_model, found, started)
    return found


def similar_to_photo(
    photo: BinaryIO | bytes,
    *,
    model: type[models.Model] | None = None,
    limit: int = 8,
    among: QuerySet[Any] | None = None,
    min_similarity: float | None = None,
    min_match: float | None = None,
    part: Part | None = None,
) -> SimilarProducts:
    """Return products that look like a shopper's photo, embedded by a worker.

    Of a merchant's rules, the blocks beside every product hold here, too.
    Waits at most ``photo_wait_seconds``; reads at most ``max_upload_bytes`` + 1 bytes.
    ``min_match`` is relative to pairs of one category, whichever. ``part``: look at this part of
    it only, ``(left, top, width, height)`` as shares of the photo's sides.

    Raises:
        ValueError: the part is none, or (``NothingSeen``) the encoder does not look there.
        NoFeatureMap: the encoder cannot tell parts apart.
        PictureError: the photo cannot be used; ``code`` says why.
        PhotoSearchUnavailable: switched off, or no worker answered.
        LookupError: ``model`` (or ``among``) is needed to tell which products are meant.
    """
    started = time.perf_counter()
    if among is None:
        space = served_space(model or _only_model())
    else:
        space = served_space(model or among.model, among.db)
    rows = candidates(space, among)
    wish = Wish.of(limit=limit, min_similarity=min_similarity, min_match=min_match)
    data = photo if isinstance(photo, bytes) else photo.read(settings.max_upload_bytes + 1)
    asked = {} if part is None else {"part": Box.of(*part)}
    seed = of_vector(photo_queries.ask(space, data, **asked))
    with reading(rows.db, **pool_settings(space)):
        shown = unblocked(space, recommendable(space, rows), [], rows.db)
        search = Search(space, lambda: seed, lambda: shown, rows.db, is_given=True)
        if wish.match is None:
            found = live.find(search, wish)
        else:
            scale = matches.scale_for(space, [], rows.db)
            found = matches.note(live.find(search, wish.measured_by(scale)), scale)
    ways.note(space.item_model, found, started)
    return found


def _only_model() -> type[models.Model]:
    found = {space.item_model for space in all_spaces()}
    if len(found) != 1:
        names = ", ".join(sorted(model._meta.label for model in found)) or "none"
        raise LookupError(f"Say which products are meant: model=… (models with a field: {names}).")
    return found.pop()
