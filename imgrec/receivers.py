"""A photo was saved, changed, cleared or deleted: write a job in the same transaction."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar
from functools import partial
from typing import Any

from django.apps import apps
from django.db import models, router, transaction
from django.db.models.signals import post_delete, post_init, post_save, pre_save

from imgrec.models import EmbeddingJob
from imgrec.poke import poke
from imgrec.spaces import SpaceDefinition, all_spaces

_paused: ContextVar[bool] = ContextVar("imgrec_paused", default=False)


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
        for model in apps.get_models():
            if issubclass(model, space.model):
                Watcher(space).listen(model)


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
        state[self.memory] = (name, state.get(self.item))

    def look(self, *, instance: models.Model, raw: bool, update_fields: Any, **kwargs: Any) -> None:
        """Before the file is stored: a fresh upload can still be told from a stored one."""
        state = instance.__dict__
        touched = None
        if not raw and (update_fields is None or self.update_names & set(update_fields)):
            touched = self._touched(instance, state)
        state[f"{self.memory}_touched"] = touched

    def _touched(self, instance: models.Model, state: dict[str, Any]) -> list[str] | None:
        """Return the items concerned ("" is the row's present one), or None if untouched."""
        if self.source not in state:
            return None  # deferred and never looked at
        before, item_before = state.get(self.memory, (None, None))
        file = getattr(instance, self.space.source)
        fresh = bool(file) and not getattr(file, "_committed", True)
        new = instance._state.adding
        renamed = bool(file) if new else before != str(file or "")
        item = state.get(self.item)
        if self.item and not new and item_before is not None and item != item_before:
            return [str(item_before), ""] if item is None else [str(item_before), str(item)]
        return [""] if fresh or renamed else None

    def saved(self, *, instance: models.Model, using: str, raw: bool, **kwargs: Any) -> None:
        """Write the jobs, remember the new state, and poke once it is committed."""
        touched = instance.__dict__.pop(f"{self.memory}_touched", None)
        if touched is None:
            return
        self.remember(instance=instance)
        if not _paused.get():
            name = str(getattr(instance, self.space.source) or "")
            self._write(instance.pk, touched, using, name)

    def deleted(self, *, instance: models.Model, using: str, **kwargs: Any) -> None:
        """The vector goes by cascade; the lists it was in must be told."""
        item = instance.__dict__.get(self.item)
        self._write(instance.pk, ["" if item is None else str(item)], using, "")

    def _write(self, pk: Any, items: list[str], using: str, name: str) -> None:
        for item in items:
            EmbeddingJob.objects.using(using).create(
                space=self.space.label, object_pk=str(pk), item_pk=item, source_name=name
            )
        transaction.on_commit(partial(poke, "imgrec.embed_pending"), using=using)
