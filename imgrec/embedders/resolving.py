"""From what a setting or a field names to an embedder."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

from imgrec.conf import settings
from imgrec.embedders.protocol import Embedder

WAY_OUT = 'Give the dotted path of an encoder, such as "imgrec.embedders.ResNet18".'


def resolve(spec: str | Embedder | None) -> Embedder:
    """Return the embedder for a dotted path (class or instance), an instance, or None.

    None stands for the setting ``embedder``. Raises ``ImproperlyConfigured``, untranslated: models
    ask for their embedder before translations can be loaded.
    """
    option = 'IMGREC["embedder"]' if spec is None else "embedder="
    spec = settings.embedder if spec is None else spec
    found = _load(spec, option) if isinstance(spec, str) else spec
    if not isinstance(found, type) and isinstance(found, Embedder):
        return found
    raise ImproperlyConfigured(
        f"{option}: {spec!r} is not an embedder: it needs name, version, dimensions, embed and "
        f"available. {WAY_OUT}"
    )


def _load(path: str, option: str) -> Any:
    try:
        found = import_string(path)
        return found() if isinstance(found, type) else found
    except (ImportError, TypeError) as error:
        raise ImproperlyConfigured(
            f"{option}: the embedder {path!r} cannot be made: {error}. {WAY_OUT}"
        ) from error
