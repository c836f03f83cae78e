"""Makes the two tables of a space: vectors (one per photo) and lists (one per item).

Both live in the shop's app and are made by its ordinary ``makemigrations``; their
migrations name only Django and pgvector, so imgrec can be removed again.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import md5
from typing import Any

from django.apps import apps
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models.base import ModelBase
from django.db.models.fields.related import lazy_related_operation
from pgvector.django import HalfVectorField, HnswIndex

from imgrec import spaces
from imgrec.embedders import Embedder, resolve

_INTEGERS: dict[str, type[models.Field[Any, Any]]] = {
    "SmallAutoField": models.SmallIntegerField,
    "AutoField": models.IntegerField,
    "BigAutoField": models.BigIntegerField,
}


class EmbeddingBase(ModelBase):
    """Metaclass of :class:`imgrec.Embedding`: reads ``class Imgrec``, adds key, vector, index."""

    def __new__(
        mcs, name: str, bases: tuple[type, ...], attrs: dict[str, Any], **kwargs: Any
    ) -> Any:
        declared = attrs.pop("Imgrec", None)
        if declared is None:
            return super().__new__(mcs, name, bases, attrs, **kwargs)
        options = {k: v for k, v in vars(declared).items() if not k.startswith("_")}
        embedder = resolve(options.get("embedder"))
        attrs["owner"] = _owner(options["model"], options.get("related_name"))
        attrs["vector"] = HalfVectorField(dimensions=embedder.dimensions)
        if options.get("item"):  # whose list the photo is in, to see when it moves
            attrs["item_pk"] = models.TextField(blank=True)
        attrs["Meta"] = _meta(attrs.get("Meta"))
        made = super().__new__(mcs, name, bases, attrs, **kwargs)
        _finish(made, options, embedder)
        return made


def _owner(model: Any, related_name: str | None) -> models.Field[Any, Any]:
    # No constraint in the database: a worker storing a vector while the shop deletes the
    # product would make the shop's own DELETE fail. Django still cascades; the sweep
    # removes what a raw DELETE leaves behind.
    return models.OneToOneField(
        model,
        on_delete=models.CASCADE,
        primary_key=True,
        related_name=related_name,
        db_constraint=False,
    )


def _meta(declared: type | None) -> type:
    bases = (declared,) if declared else ()
    indexes = list(getattr(declared, "indexes", []))
    return type("Meta", bases, {"indexes": indexes, "default_permissions": ()})


def _finish(made: Any, options: dict[str, Any], embedder: Embedder) -> None:
    meta = made._meta
    label = options.pop("label", None) or f"{meta.app_label}.{meta.model_name}"
    meta.indexes.append(
        HnswIndex(
            name=_index_name(label, "hnsw"),
            fields=["vector"],
            # Twice pgvector's ef_construction: a fifth of the misses, at the same size and about
            # a third more building time. A larger m adds little and costs more.
            m=16,
            ef_construction=128,
            opclasses=["halfvec_cosine_ops"],
        )
    )

    # Finds the other photos of the same bytes: embedded once, and placeholders are seen as such.
    meta.indexes.append(models.Index(name=_index_name(label, "file"), fields=["sha256"]))

    def with_owner(embedding: Any, owner: Any) -> None:
        _resolve_item(embedding, owner, label, options, embedder)

    lazy_related_operation(with_owner, made, options["model"])


def _resolve_item(
    embedding: Any, owner: Any, label: str, options: dict[str, Any], embedder: Embedder
) -> None:
    def with_item(owner: Any, item_model: Any) -> None:
        if item and _relation(owner, item).target_field != item_model._meta.pk:
            spaces.complain(label, item)
            return
        definition = spaces.SpaceDefinition(
            label=label,
            model=owner,
            source=options["source"],
            item=item,
            item_model=item_model,
            visible=options.get("visible"),
            recommend=options.get("recommend"),
            embedder=embedder,
            embedding_model=embedding,
            list_model=_make_list(embedding, item_model, label),
        )
        if embedding._meta.apps is apps:
            spaces.register(definition)

    item = options.get("item") or ""
    target = owner
    if item:
        relation = _relation(owner, item)
        if relation is None:
            spaces.complain(label, item)
            return
        target = relation.remote_field.model
    _once_known(with_item, owner, target)


def _once_known(function: Callable[[Any, Any], None], owner: Any, target: Any) -> None:
    if target in (owner, "self"):
        function(owner, owner)
    else:
        lazy_related_operation(function, owner, target)


def _relation(owner: Any, name: str) -> Any:
    named = (field for field in owner._meta.local_fields if field.name == name)
    inherited = (f for parent in owner._meta.parents for f in parent._meta.fields if f.name == name)
    field = next(named, None) or next(inherited, None)
    return field if field is not None and (field.many_to_one or field.one_to_one) else None


def _make_list(embedding: Any, item_model: Any, label: str) -> Any:
    from imgrec.models import NeighbourList

    meta = {
        "app_label": embedding._meta.app_label,
        "default_permissions": (),
        "indexes": [GinIndex(name=_index_name(label, "gin"), fields=["neighbours"])],
    }
    attrs = {
        "__module__": embedding.__module__,
        "__doc__": f"Stored top-k of {label}.",
        "owner": _owner(item_model, "+"),
        "neighbours": ArrayField(_key(item_model)),
        "Meta": type("Meta", (), meta),
    }
    return ModelBase(f"{embedding.__name__}List", (NeighbourList,), attrs)


def _key(model: Any) -> models.Field[Any, Any]:
    """Return a plain field of the type of the model's primary key."""
    field = model._meta.pk
    while field.remote_field:
        field = field.target_field
    if field.get_internal_type() in _INTEGERS:  # not isinstance: a BigAutoField is an AutoField
        return _INTEGERS[field.get_internal_type()]()
    _name, _path, args, kwargs = field.deconstruct()
    drop = {"primary_key", "unique", "default", "db_default", "editable", "db_column", "serialize"}
    plain_field: models.Field[Any, Any] = type(field)(
        *args, **{k: v for k, v in kwargs.items() if k not in drop}
    )
    return plain_field


def _index_name(label: str, kind: str) -> str:
    digest = md5(label.encode(), usedforsecurity=False).hexdigest()[:12]
    return f"imgrec_{digest}_{kind}"
