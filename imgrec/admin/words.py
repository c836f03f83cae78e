"""What the progress page says, in sentences: the same for its script and without one."""

from __future__ import annotations

import math

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from imgrec import shells
from imgrec.admin.numbers import pace
from imgrec.runs import Progress


def queued(made: int) -> str:
    """Say how many photos were queued."""
    text = ngettext("%(n)s photo queued.", "%(n)s photos queued.", made)
    return text % {"n": number_format(made)}


def is_busy(now: Progress) -> bool:
    """Return whether the page should look again soon."""
    return bool(now.running or now.waiting or now.lists)


def cancelled(gone: int) -> str:
    """Say how many photos were taken from the queue."""
    text = ngettext(
        "Cancelled: %(n)s photo was taken from the queue.",
        "Cancelled: %(n)s photos were taken from the queue.",
        gone,
    )
    return text % {"n": number_format(gone)}


def said(now: Progress) -> dict[str, str]:
    """Return the page's sentences by their place; an empty one is not shown."""
    return {
        "summary": _summary(now),
        "rate": _rate(now),
        "left": "" if now.stalled else _left(now.seconds_left),
        "failed": _failed(now),
        "others": _others(now),
        "trouble": _trouble(now),
    }


def _summary(now: Progress) -> str:
    numbers = {"done": number_format(now.done), "total": number_format(now.total)}
    if now.paused_at and now.done < now.total:
        return _("Paused at %(done)s of %(total)s photos") % numbers
    if now.running and now.done < now.total:
        return _("%(done)s of %(total)s photos") % numbers
    if now.running:
        return _("All %(total)s photos are done; their lists are being updated.") % numbers
    if not now.started_at:
        return _("No reindex has been started yet.")
    text = ngettext(
        "The last reindex is finished: %(total)s photo.",
        "The last reindex is finished: %(total)s photos.",
        now.total,
    )
    return text % numbers


def _rate(now: Progress) -> str:
    if now.rate_per_second is None:
        return ""
    return _("%(n)s photos per second") % {"n": pace(now.rate_per_second)}


def _left(seconds: float | None) -> str:
    if seconds is None:
        return ""
    if seconds < 90:
        n = math.ceil(seconds)
        text = ngettext("about %(n)d second left", "about %(n)d seconds left", n)
    elif seconds < 90 * 60:
        n = math.ceil(seconds / 60)
        text = ngettext("about %(n)d minute left", "about %(n)d minutes left", n)
    else:
        n = math.ceil(seconds / 3600)
        text = ngettext("about %(n)d hour left", "about %(n)d hours left", n)
    return text % {"n": n}


def _failed(now: Progress) -> str:
    text = ngettext("%(n)s photo failed", "%(n)s photos failed", now.failed)
    return text % {"n": number_format(now.failed)} if now.failed else ""


def _others(now: Progress) -> str:
    """Say what waits besides the run: saved photos, a sweep's finds."""
    others = now.waiting - (now.total - now.done if now.running else 0)
    if others <= 0:
        return ""
    if now.running:
        text = ngettext("%(n)s other photo waits.", "%(n)s other photos wait.", others)
    else:
        text = ngettext("%(n)s photo waits.", "%(n)s photos wait.", others)
    return text % {"n": number_format(others)}


def _trouble(now: Progress) -> str:
    if now.obstacle:
        return now.obstacle
    if not now.stalled:
        return ""
    return _("Photos wait, but none was finished lately. Is a worker running? %(command)s") % {
        "command": shells.worker()
    }
