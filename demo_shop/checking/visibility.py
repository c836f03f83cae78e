"""Hidden and sold-out products leave every list at the next page view, without any task."""

from __future__ import annotations

from demo_shop.checking.shop import CheckFailed, Seen, Shop
from demo_shop.running.stack import Stack


def leave_lists_at_once(stack: Stack, shop: Shop, pages: dict[int, Seen]) -> dict[str, bool]:
    """Hide and sell out a product that another one's page shows, with the worker frozen."""
    seed, other = _pair(pages)
    stack.worker.freeze()
    try:
        shop.change(other.pk, published=None)
        hidden = {
            "hidden_leaves_lists": other.pk not in shop.look(seed.address).similar,
            "hidden_page_is_404": shop.status(other.address) == 404,
        }
        shop.change(other.pk, published="on", stock="0")
        sold_out = {
            "sold_out_leaves_lists": other.pk not in shop.look(seed.address).similar,
            "sold_out_page_shows_look_alikes": bool(shop.look(other.address).similar),
        }
        shop.change(other.pk, stock="5")
        back = other.pk in shop.look(seed.address).similar
    finally:
        stack.worker.thaw()
    return {**hidden, **sold_out, "comes_back": back}


def _pair(pages: dict[int, Seen]) -> tuple[Seen, Seen]:
    for seed in pages.values():
        for pk in seed.similar:
            if pk in pages and pages[pk].similar:
                return seed, pages[pk]
    raise CheckFailed("no product page shows any look-alikes")
