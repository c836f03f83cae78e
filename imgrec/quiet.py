"""For pages: whatever goes wrong with us, the shop's page is served, without us."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextlib import nullcontext
from traceback import walk_tb
from typing import TypeVar

from imgrec.guest import guarded
from imgrec.signals import left_out

logger = logging.getLogger(__name__)

T = TypeVar("T")

# An error that lasts is logged again after this long, not on each page view.
LOG_AGAIN_SECONDS = 3600.0

_logged_at: dict[tuple[type[Exception], str, int], float] = {}


def quietly(
    work: Callable[[], T],
    otherwise: T,
    *,
    using: Callable[[], str] | None = None,
    aloud: tuple[type[Exception], ...] = (),
    about: object = "",
) -> T:
    """Return what ``work`` returns; when it raises, ``otherwise``, and log that once a kind.

    ``using``: gives the alias of the database that is read; the host's transaction there stays
    usable. A function, since a host's router may raise as well. ``aloud``: errors to raise
    nevertheless, for a developer to see. ``about``: the page's product, or its key, for the log.
    """
    try:
        with guarded(using()) if using else nullcontext():
            return work()
    except aloud:
        raise
    except Exception as error:  # noqa: BLE001 - a shop must sell when its recommendations fail
        left_out.send_robust(sender=type(error), error=error)
        log_once(error, str(getattr(about, "pk", about)))
        return otherwise


def log_once(
    error: Exception, product: str, text: str = "imgrec: similar products are left out: %s"
) -> None:
    """Log an error, unless one of its kind and place was a short time ago."""
    *_outer, (frame, line) = walk_tb(error.__traceback__)
    kind = (type(error), frame.f_code.co_filename, line)
    now = time.monotonic()
    if now - _logged_at.get(kind, float("-inf")) >= LOG_AGAIN_SECONDS:
        _logged_at[kind] = now
        told = {"imgrec_product": product}
        logger.error(text, error, exc_info=error, extra=told)
