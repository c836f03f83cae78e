"""Which names the pages about Python show; what they say of them is their docstrings."""

from __future__ import annotations

import inspect

import imgrec
from imgrec import errors as raised
from imgrec.templatetags import imgrec as library

# What a shop calls of a class; the others are only made.
MEMBERS = {"SimilarityQuerySet": "similar_to"}


def public() -> str:
    """Return what ``import imgrec`` gives, each documented by Sphinx."""
    shown = [name for name in imgrec.__all__ if not name.startswith("__")]
    return _for_sphinx([_directive(f"imgrec.{name}", getattr(imgrec, name)) for name in shown])


def errors() -> str:
    """Return the errors that imgrec raises on purpose."""
    kinds = [each for each in vars(raised).values() if inspect.isclass(each)]
    ours = [each for each in kinds if issubclass(each, raised.ImgrecError)]
    return _for_sphinx([f".. autoexception:: imgrec.errors.{each.__name__}" for each in ours])


def tags() -> str:
    """Return the template tags."""
    path = library.__name__
    return _for_sphinx([f".. autofunction:: {path}.{name}" for name in library.register.tags])


def _directive(path: str, value: object) -> str:
    if not inspect.isclass(value):
        return f".. autofunction:: {path}"
    members = MEMBERS.get(value.__name__)
    return f".. autoclass:: {path}" + (f"\n   :members: {members}" if members else "")


def _for_sphinx(directives: list[str]) -> str:
    return "```{eval-rst}\n" + "\n\n".join(directives) + "\n```"
