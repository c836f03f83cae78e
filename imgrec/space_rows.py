"""The rows of ``Space``: one for each declared space, exactly one served for each item model."""

from __future__ import annotations

from typing import Any

from django.db import connections, models, router, transaction

from imgrec.models import (
    CatalogueMap,
    DuplicateLimits,
    DuplicatePair,
    EmbeddingJob,
    Freshness,
    MatchScale,
    PhotoHash,
    Placeholder,
    QualityFigures,
    Rule,
    Space,
    Tally,
)
from imgrec.spaces import SpaceDefinition, all_spaces, space_by_label

# What goes with a space, beside its jobs.
_OF_A_SPACE: tuple[type[models.Model], ...] = (
    Placeholder,
    Tally,
    MatchScale,
    PhotoHash,
    DuplicateLimits,
    DuplicatePair,
    Freshness,
    QualityFigures,
    CatalogueMap,
)


def sync() -> None:
    """Make rows for new spaces. Safe to repeat.

    Rows of spaces this process does not know stay: they may be of newer code than its own.
    """
    declared = {space.label: space for space in all_spaces()}
    using = router.db_for_write(Space)
    with transaction.atomic(using=using):
        known = set(Space.objects.using(using).values_list("label", flat=True))
        for label, space in declared.items():
            if label not in known:
                table = space.embedding_model._meta.db_table
                values = {"item_model": item_label(space), "table": table}
                Space.objects.using(using).get_or_create(label=label, defaults=values)
        for item_model in {item_label(space) for space in declared.values()}:
            _serve_one(using, item_model, declared)


def forget_removed() -> None:
    """Forget spaces whose field was removed, and whose table has gone by the shop's migration."""
    using = router.db_for_write(Space)
    tables = connections[using].introspection.table_names()
    gone = Space.objects.using(using).exclude(table__in=tables)
    pairs = list(gone.values_list("label", "item_model"))
    labels, items = [label for label, _model in pairs], [model for _label, model in pairs]
    EmbeddingJob.objects.using(using).filter(space__in=labels).delete()
    for model in _OF_A_SPACE:
        model._default_manager.using(using).filter(space__in=labels).delete()
    gone.delete()
    # rules are about products, whichever of their fields is left
    left = Space.objects.using(using).values("item_model")
    Rule.objects.using(using).filter(item_model__in=items).exclude(item_model__in=left).delete()


def _serve_one(using: str, item_model: str, declared: dict[str, SpaceDefinition]) -> None:
    rows = Space.objects.using(using).filter(item_model=item_model)
    if not rows.filter(is_served=True).exists():
        first = next(s.label for s in declared.values() if item_label(s) == item_model)
        rows.filter(label=first).update(is_served=True)


def item_label(space: SpaceDefinition) -> str:
    """Return the item model's label, as in ``Space.item_model``."""
    return str(space.item_model._meta.label_lower)


def serve(label: str) -> None:
    """Show shoppers this space from now on, and no other of the same products."""
    space = space_by_label(label)
    if space is None:
        known = ", ".join(each.label for each in all_spaces()) or "none"
        raise LookupError(f"No space {label!r} is declared. Declared: {known}.")
    rows = Space.objects.using(router.db_for_write(Space)).filter(item_model=item_label(space))
    with transaction.atomic(using=rows.db):
        rows.update(is_served=False)
        rows.filter(label=label).update(is_served=True)


def after_migrations(*, using: str, **kwargs: Any) -> None:
    """Bring the rows in line after every migrate, in the database that holds them."""
    ours = using == router.db_for_write(Space)
    if ours and Space._meta.db_table in connections[using].introspection.table_names():
        forget_removed()
        sync()
