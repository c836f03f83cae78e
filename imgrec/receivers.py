"""A photo was saved, changed, cleared or deleted: write a job in the same transaction."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.apps import apps
from django.db import models, router, transaction
from django.db.models.signals import post_delete, post_init, post_save, pre_save

from imgrec.models import EmbeddingJob
from imgrec.poke import poke
from imgrec.spaces import SpaceDefinition, all_spaces

_paused: ContextVar[bool] = ContextVar("imgrec_paused", default=False)
_UNKNOWN: Any = object()


@contextlib.contextmanager
def paused() -> Iterator[None]:
    """Write no jobs inside, as in an import; a sweep is asked for at the end."""
    token = _paused.set(True)
    try:
        yield
    finally:
        _paused.reset(token)
        using = router.db_for_write(EmbeddingJob)
        transaction.on_commit(partial(poke, "imgrec.sweep"), using=using)


def connect() -> None:
    """Listen to every model whose instances own a photo, children and proxies included."""
    for space in all_spaces():
        if not space.has_source():
            continue  # imgrec.E004 says so
        for model in apps.get_models():
            if issubclass(model, space.model):
                Watcher(space).listen(model)


@dataclass(frozen=True)
class Touched:
    """What a save changes: the photo, and the items whose photos are others afterwards."""

    photo: bool
    items: tuple[str, ...] = ()


class Watcher:
    """Knows, for one space, whether an instance's photo or item was touched."""

    def __init__(self, space: SpaceDefinition) -> None:
        self.space = space
        self.source = space.source_field.attname
        self.item = space.item_field.attname if space.item else ""
        self.memory = f"_imgrec_{space.label.replace('.', '_')}"
        self.update_names = {space.source, self.source, space.item, self.item} - {""}

    def listen(self, model: type[models.Model]) -> None:
        """Connect the receivers once a model, by the space's label."""
        for signal, receiver in (
            (post_init, self.remember),
            (pre_save, self.look),
            (post_save, self.saved),
            (post_delete, self.deleted),
        ):
            key = f"imgrec.{self.space.label}.{receiver.__name__}"
            signal.connect(receiver, sender=model, weak=False, dispatch_uid=key)

    def remember(self, *, instance: models.Model, **kwargs: Any) -> None:
        """Remember the photo's name as loaded; a deferred one is not fetched for it."""
        state = instance.__dict__
        # as text: the file object itself changes its name when it is saved
        name = str(state[self.source] or "") if self.source in state else None
        state[self.memory] = (name, state.get(self.item, _UNKNOWN))

    def look(
        self, *, instance: models.Model, raw: bool, using: str, update_fields: Any, **kwargs: Any
    ) -> None:
        """Before the file is stored: a fresh upload can still be told from a stored one."""
        state = instance.__dict__
        if not raw and (update_fields is None or self.update_names & set(update_fields)):
            items = () if instance._state.adding else self._items(instance, using)
            state[f"{self.memory}_touched"] = Touched(self._has_new_photo(instance), items)

    def _has_new_photo(self, instance: models.Model) -> bool:
        state = instance.__dict__
        if self.source not in state:
            return False  # deferred and never looked at
        before, _item = state.get(self.memory, (None, _UNKNOWN))
        file = getattr(instance, self.space.source)
        if file and not getattr(file, "_committed", True):
            return True
        if instance._state.adding:
            return bool(file)
        # loaded later than the rest: as it is in the database, or a name for the sweep to find
        return before is not None and before != str(file or "")

    def _items(self, instance: models.Model, using: str) -> tuple[str, ...]:
        """Return the items a photo moves between, or none when it stays."""
        state = instance.__dict__
        if not self.item or self.item not in state:
            return ()
        _name, before = state.get(self.memory, (None, _UNKNOWN))
        if before is _UNKNOWN:  # loaded without its item: only the database knows
            row = self.space.model._base_manager.using(using).filter(pk=self._key(instance))
            before = row.values_list(self.item, flat=True).first()
        if before == state[self.item]:
            return ()
        return tuple(str(item) for item in (before, state[self.item]) if item is not None)

    def saved(self, *, instance: models.Model, using: str, **kwargs: Any) -> None:
        """Write the jobs, remember the new state, and poke once it is committed."""
        touched = instance.__dict__.pop(f"{self.memory}_touched", None)
        if touched is None or not (touched.photo or touched.items):
            return
        self.remember(instance=instance)
        photo = touched.photo and not _paused.get()
        name = str(getattr(instance, self.space.source) or "") if photo else None
        if photo or touched.items:
            self._write(self._key(instance), using, name, touched.items)

    def deleted(self, *, instance: models.Model, using: str, **kwargs: Any) -> None:
        """The vector goes by cascade; the lists it was in must be told."""
        item = instance.__dict__.get(self.item)
        self._write(self._key(instance), using, "", () if item is None else (str(item),))

    def _key(self, instance: models.Model) -> Any:
        return self.space.owner_key(instance)

    def _write(self, key: Any, using: str, name: str | None, items: tuple[str, ...]) -> None:
        """Queue the photo, unless ``name`` is None, and mark the lists of ``items``."""
        values = {"space": self.space.label, "object_pk": str(key)}
        jobs = EmbeddingJob.objects.using(using)
        if name is not None:
            jobs.create(**values, source_name=name)
        for item in items:
            jobs.create(**values, item_pk=item, state=EmbeddingJob.State.LISTS)
        transaction.on_commit(partial(poke, "imgrec.embed_pending"), using=using)
