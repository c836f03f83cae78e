"""From what a setting or a field names to an embedder."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

from imgrec.conf import settings
from imgrec.embedders.protocol import Embedder


def resolve(spec: str | Embedder | None) -> Embedder:
    """Return the embedder for a dotted path (class or instance), an instance, or None.

    None stands for the setting ``embedder``. Raises ``ImproperlyConfigured``, untranslated: models
    ask for their embedder before translations can be loaded.
    """
    spec = settings.embedder if spec is None else spec
    found = _load(spec) if isinstance(spec, str) else spec
    if not isinstance(found, type) and isinstance(found, Embedder):
        return found
    raise ImproperlyConfigured(
        f"{spec!r} is not an embedder: it needs name, version, dimensions, embed and available."
    )


def _load(path: str) -> Any:
    try:
        found = import_string(path)
        return found() if isinstance(found, type) else found
    except (ImportError, TypeError) as error:
        raise ImproperlyConfigured(f"The embedder {path!r} cannot be made: {error}") from error
