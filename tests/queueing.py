"""Jobs as a test wants them, whether or not there is such a photo."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from imgrec.models import EmbeddingJob
from imgrec.spaces import SpaceDefinition


def queue(space: SpaceDefinition, object_pks: Iterable[Any], *, priority: int = 0) -> None:
    """Queue these keys of rows that own photos."""
    EmbeddingJob.objects.bulk_create(
        EmbeddingJob(space=space.label, object_pk=str(pk), priority=priority) for pk in object_pks
    )
