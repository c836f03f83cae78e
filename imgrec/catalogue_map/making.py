"""The making of a map: asked for by a row, done by one worker at a time, watched, stopped.

The map that is shown stays until the next is finished. A worker that dies lets go of the space's
lock, and the sweep has the map begun again; after three times it is given up.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import numpy as np
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Now

from imgrec.catalogue_map import categories, layout, oddities, sheets
from imgrec.catalogue_map.grid import Grid, snap
from imgrec.catalogue_map.layout import MapUnavailable
from imgrec.conf import settings
from imgrec.locks import lock_apart
from imgrec.map_models import CatalogueMap, MapTile
from imgrec.models import Space
from imgrec.spaces import SpaceDefinition, all_spaces

logger = logging.getLogger(__name__)

LOCK = "imgrec.map"
ATTEMPTS = 3
# A map that nobody moved for so long is not being made any more.
SILENT_SECONDS = 120
Stage = CatalogueMap.Stage
Watch = Callable[[str, int, int], object]


class Stopped(Exception):
    """Somebody deleted the map's row, or another worker makes one."""


def maps(space: SpaceDefinition) -> QuerySet[CatalogueMap]:
    """Return the space's maps, the newest first, without what is heavy."""
    rows = CatalogueMap.objects.using(space.using).filter(space=space.label)
    return rows.order_by("-id").defer("points", "oddities")


def finished(space: SpaceDefinition) -> CatalogueMap | None:
    """Return the map that is shown."""
    return maps(space).filter(finished_at__isnull=False).first()


def unfinished(space: SpaceDefinition) -> CatalogueMap | None:
    """Return the map that waits, is being made, or came to nothing since the last."""
    newest = maps(space).first()
    return newest if newest and newest.finished_at is None else None


def ask(space: SpaceDefinition, category: str = "") -> CatalogueMap:
    """Ask for a map, instead of what was asked for before."""
    with transaction.atomic(using=space.using):
        stop(space)
        made = CatalogueMap(space=space.label, category=category)
        made.save(using=space.using)
    return made


def stop(space: SpaceDefinition) -> int:
    """Have no map made: whoever is at it stops at its next step. Returns how many there were."""
    return maps(space).filter(finished_at__isnull=True).delete()[0]


def waiting() -> bool:
    """Return whether a map waits for a worker, or was left by one."""
    return any(_free(space).exists() for space in all_spaces())


def _free(space: SpaceDefinition) -> QuerySet[CatalogueMap]:
    """Return maps to be made that nobody is at."""
    left = Q(moved_at__lt=Now() - timedelta(seconds=SILENT_SECONDS))
    undone = maps(space).filter(finished_at__isnull=True, message="")
    return undone.filter(Q(moved_at__isnull=True) | left)


def make_waiting() -> None:
    """Make every map that waits; troubles are told on its row."""
    for space in all_spaces():
        while (row := _free(space).first()) is not None:
            try:
                make(space, row)
            except Stopped:
                break
            except Exception as error:  # broad: whatever it is, the merchant is told
                logger.exception("imgrec: no map of %s", space.label)
                text = str(error) or type(error).__name__
                maps(space).filter(pk=row.pk).update(message=text[:500])


def make(
    space: SpaceDefinition,
    row: CatalogueMap,
    *,
    threads: int | None = None,
    watch: Watch = lambda stage, done, total: None,
) -> None:
    """Make a map that was asked for.

    Raises:
        MapUnavailable: the library is missing, there are no lists yet, or it failed too often.
        Stopped: another worker makes one, or the row is gone.
    """
    layout.check_library()
    with lock_apart(space, LOCK) as ours:
        if not ours:
            raise Stopped(f"another process makes a map of {space.label}")
        if row.attempts >= ATTEMPTS:
            raise MapUnavailable(
                f"The making of the map was broken off {ATTEMPTS} times: is there memory enough? "
                "imgrec_map makes it outside of the worker."
            )
        maps(space).filter(pk=row.pk).update(attempts=F("attempts") + 1)

        def move(stage: str, done: int, total: int) -> None:
            _move(space, row, stage, done, total)
            watch(stage, done, total)

        _make(space, row, move, threads or settings.torch_threads)


def _make(space: SpaceDefinition, row: CatalogueMap, move: Watch, threads: int) -> None:
    move(Stage.LAYOUT, 0, 1)
    version = _served_version(space)
    found = layout.read_lists(space, version)
    if not found.keys:
        raise MapUnavailable("There is nothing to show yet: no product has a list.")
    codes, names = categories.coded(space, row.category, found.keys)
    points = layout.lay_out(
        space, version, found, lambda done, total: move(Stage.LAYOUT, done, total), threads
    )
    grid = snap(points)
    row.version, row.columns, row.rows, row.categories = version, grid.columns, grid.rows, names
    row.points = _packed(grid, codes)
    row.oddities = {
        "misfits": oddities.misfits(found, codes, names),
        "alone": oddities.alone(found),
        "holes": oddities.holes(found.keys, grid),
    }
    _cut(space, row, found.keys, grid, move)
    _finish(space, row)


def _cut(
    space: SpaceDefinition, row: CatalogueMap, keys: list[Any], grid: Grid, move: Watch
) -> None:
    """Store the tiles, each with its sheet of small pictures."""
    maps(space).get(pk=row.pk).tiles.all().delete()  # of a making that was broken off
    side, done = sheets.SIDE, 0
    squares: defaultdict[tuple[int, int], list[int]] = defaultdict(list)
    for i, (column, down) in enumerate(grid.cells.tolist()):
        squares[column // side, down // side].append(i)
    move(Stage.PICTURES, 0, len(keys))
    for (column, down), members in sorted(squares.items()):
        items = [keys[i] for i in members]
        cells = grid.cells[members] % side
        places = (cells[:, 1] * side + cells[:, 0]).tolist()
        names = _names(space, row.version, items)
        sheet = sheets.sheet(
            space, {p: names.get(k, "") for p, k in zip(places, items, strict=True)}
        )
        tile = MapTile(map=row, column=column, row=down, places=places, sheet=sheet)
        tile.items = list(map(str, items))
        tile.save(using=space.using)
        done += len(items)
        move(Stage.PICTURES, done, len(keys))


def _names(space: SpaceDefinition, version: str, keys: list[Any]) -> dict[Any, str]:
    """Return the name of a photo of each product; of several, of the oldest."""
    column = space.item_column
    stored = space.embedding_model.objects.using(space.using).filter(version=version)
    rows = stored.filter(**{f"{column}__in": keys}).order_by("-owner_id")
    return dict(rows.values_list(column, "source_name"))


def _packed(grid: Grid, codes: Any) -> bytes:
    """Return all columns, all rows, all categories, one after the other, little-endian."""
    columns, rows = grid.cells.astype("<u2").T
    packed: bytes = columns.tobytes() + rows.tobytes() + codes.astype(np.uint8).tobytes()
    return packed


def _move(space: SpaceDefinition, row: CatalogueMap, stage: str, done: int, total: int) -> None:
    """Note how far it is; a row that is gone ends the making."""
    values: dict[str, Any] = {"stage": stage, "done": done, "total": total, "moved_at": Now()}
    if done == 0:
        values["stage_at"] = Now()
    if not maps(space).filter(pk=row.pk).update(**values):
        raise Stopped(f"the map of {space.label} is not wanted any more")


def _finish(space: SpaceDefinition, row: CatalogueMap) -> None:
    """Show it from now on, and forget those before."""
    fields = ("version", "columns", "rows", "categories", "points", "oddities")
    values: dict[str, Any] = {name: getattr(row, name) for name in fields}
    with transaction.atomic(using=space.using):
        if not maps(space).filter(pk=row.pk).update(**values, message="", finished_at=Now()):
            raise Stopped(f"the map of {space.label} is not wanted any more")
        maps(space).filter(pk__lt=row.pk).delete()


def _served_version(space: SpaceDefinition) -> str:
    rows = Space.objects.using(space.using).filter(label=space.label)
    return rows.values_list("served_version", flat=True).first() or ""
