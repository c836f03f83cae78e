"""Which spaces a command is about, by what somebody types."""

from __future__ import annotations

from django.core.management.base import CommandError

from imgrec.spaces import SpaceDefinition, all_spaces

HELP = "app.Model or a space's label; default all"


def chosen_spaces(name: str | None) -> list[SpaceDefinition]:
    """Return the spaces of a model, or the one of that label; all without a name.

    Raises:
        CommandError: there is none; names those there are.
    """
    spaces = [space for space in all_spaces() if not name or _is_named(space, name.lower())]
    if not spaces:
        known = ", ".join(space.label for space in all_spaces()) or "none"
        raise CommandError(f"No ImageEmbeddingField on {name!r}. Spaces: {known}.")
    return spaces


def _is_named(space: SpaceDefinition, name: str) -> bool:
    labels = {space.label, space.model._meta.label_lower, space.item_model._meta.label_lower}
    return name in labels
