"""``imgrec.E001`` to ``E003``, ``E011``, ``E012``: the ``IMGREC`` dict, before it does damage."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from importlib.util import find_spec
from math import inf
from typing import Any

from django.conf import settings as django_settings
from django.core.checks import CheckMessage, Error

from imgrec import paths
from imgrec.conf import PATHS, Settings, declared, has_type, known_keys, settings
from imgrec.spaces import all_spaces

# Least and most of each number; of those not named here, 0 or more.
RANGES: dict[str, tuple[float, float]] = {
    "torch_threads": (1, inf),
    "batch_size": (1, inf),
    "lease_seconds": (1, inf),
    "max_attempts": (1, inf),
    "stalled_seconds": (1, inf),
    "min_similarity": (0, 1),
    "stored_neighbours": (1, inf),
    "exact_below": (1, inf),
    "ef_search": (1, 1000),  # as PostgreSQL has it
}
# Time-outs, where 0 would mean for ever, or not at all.
ABOVE_ZERO = {"photo_wait_seconds", "broker_timeout_seconds"}
NOT_EMPTY = {"embedder", "queue"}
CHOICES = {"tasks": ("celery", "django")}


def check_settings(**kwargs: Any) -> list[CheckMessage]:
    """E001, E002, E003: not a dict, an unknown key, a value that cannot be used."""
    value = getattr(django_settings, "IMGREC", None)
    if value is not None and not isinstance(value, dict):
        hint = 'Write IMGREC = {"batch_size": 32}, or leave it out.'
        return [Error("IMGREC is not a dict.", hint=hint, id="imgrec.E001")]
    known = {key: value for key, value in declared().items() if key in known_keys()}
    return [
        *_unknown_keys(),
        *_useless_values(known),
        *_refills_for_ever(known),
        *_counts_nothing(known),
    ]


def _unknown_keys() -> Iterator[CheckMessage]:
    for key in declared():
        if key not in known_keys():
            near = get_close_matches(str(key), known_keys(), 1)
            hint = f"Did you mean {near[0]!r}?" if near else f"Known: {', '.join(known_keys())}."
            yield Error(f"IMGREC has no key {key!r}.", hint=hint, id="imgrec.E002")


def _useless_values(known: dict[str, Any]) -> Iterator[CheckMessage]:
    for key, value in known.items():
        hint = _what_to_give(key, value)
        if hint:
            yield Error(f"IMGREC[{key!r}] is {value!r}.", hint=hint, id="imgrec.E003")


def _what_to_give(key: str, value: Any) -> str:
    """Return a hint, ``""`` when the value is fine."""
    default = getattr(Settings(), key)
    if not has_type(key, value):
        if key == "weights":
            return 'Give a dict such as {"resnet18": {"path": "/srv/weights/resnet18.pth"}}.'
        if key in PATHS:
            return f'Give a dict such as {{"shop.Product": "{key}"}}.'
        return f"Give a value of type {type(default).__name__}, for example {default!r}."
    if key in NOT_EMPTY and not value:
        return f"Give a name, for example {default!r}."
    if key in CHOICES:
        return "" if value in CHOICES[key] else f"Give one of {', '.join(CHOICES[key])}."
    if key in ABOVE_ZERO:
        return "" if value > 0 else f"Give more than 0, for example {default!r}."
    if not isinstance(value, int | float) or isinstance(value, bool):
        return ""
    least, most = RANGES.get(key, (0, inf))
    if least <= value <= most:
        return ""
    return f"Give {least} or more." if most == inf else f"Give {least} to {most}."


def check_paths(**kwargs: Any) -> list[CheckMessage]:
    """E012: what "category" and "price" name must be there, and be a column."""
    models = {space.item_model._meta.label_lower: space.item_model for space in all_spaces()}
    return [
        Error(f"IMGREC[{key!r}]: {problem}", hint=hint, id="imgrec.E012")
        for key in PATHS
        for label, path in getattr(settings, key).items()
        for problem, hint in _path_problems(key, label, path, models)
    ]


def _path_problems(
    key: str, label: str, path: str, models: dict[str, Any]
) -> Iterator[tuple[str, str]]:
    model = models.get(label.lower())
    if model is None:
        known = ", ".join(sorted(each._meta.label for each in models.values())) or "none"
        yield (f"{label!r} is no model of products with photos.", f"Those are: {known}.")
        return
    try:
        paths.check_path(model, path, option="")
    except ValueError as error:
        yield (str(error), f'Name a column, as in {{"{model._meta.label}": "{key}"}}.')


def _counts_nothing(known: dict[str, Any]) -> Iterator[CheckMessage]:
    if known.get("metrics") is True and find_spec("prometheus_client") is None:
        text = "IMGREC['metrics'] is on, and prometheus-client is not installed."
        yield Error(text, hint='Run: pip install "imgrec[metrics]"', id="imgrec.E011")


def _refills_for_ever(known: dict[str, Any]) -> Iterator[CheckMessage]:
    values = {key: value for key, value in known.items() if not _what_to_give(key, value)}
    used = Settings(**values)
    if used.refill_below > used.stored_neighbours:
        yield Error(
            f"IMGREC['refill_below'] is {used.refill_below}, more than a list ever holds: "
            f"IMGREC['stored_neighbours'] is {used.stored_neighbours}.",
            hint=f"Give both, for example 'refill_below': {used.stored_neighbours * 2 // 3}.",
            id="imgrec.E003",
        )
