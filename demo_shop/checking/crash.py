"""The worker is killed while photos are replaced; nothing may be lost."""

from __future__ import annotations

import time
from typing import Any

from demo_shop.checking.shop import CheckFailed, Seen, Shop, wait_for
from demo_shop.checking.swaps import Swap
from demo_shop.running.stack import Stack

PHOTOS = 10
BEFORE_THE_KILL = 5
RECOVERY_SECONDS = 180.0
SAME_OF_EIGHT = 0.75


def kill_while_photos_change(stack: Stack, shop: Shop, swaps: list[Swap]) -> dict[str, Any]:
    """Give up to ten swapped products their own photo back, killing the worker meanwhile.

    Returns how many jobs it held when it died and how long until all photos were ready again.
    """
    photos = swaps[:PHOTOS]
    for swap in photos[:BEFORE_THE_KILL]:
        shop.new_photo(swap.product.pk, swap.own_photo)
    _catch_at_work(shop)
    stack.worker.kill()
    killed_at = time.monotonic()
    held = shop.inside()["leased"]
    for swap in photos[BEFORE_THE_KILL:]:
        shop.new_photo(swap.product.pk, swap.own_photo)
    stack.worker.start()
    shop.wait_until_idle(seconds=RECOVERY_SECONDS)
    seconds = round(time.monotonic() - killed_at, 2)
    return {"photos": len(photos), "held_at_kill": held, "kill_recovery_seconds": seconds}


def _catch_at_work(shop: Shop) -> None:
    """Wait for the moment the worker holds a job; it may have been too quick for us."""
    try:
        wait_for(lambda: shop.inside()["leased"] or None, seconds=2, what="a lease", every=0.003)
    except CheckFailed:
        return


def is_back(shop: Shop, before: Seen) -> bool:
    """Whether a product with its own photo again shows (nearly) what it showed at first."""
    now = shop.look(before.address).similar
    same = len(set(now) & set(before.similar))
    return same >= SAME_OF_EIGHT * len(before.similar)
