"""Find similar to my photo: a product's own photo finds it; what is no photo is told kindly."""

from __future__ import annotations

from demo_shop.checking.shop import Seen, Shop
from imgrec.conf import settings

SAME_PHOTO = 0.98


def search(shop: Shop, pages: dict[int, Seen]) -> dict[str, bool]:
    """One search that must succeed and two that must fail with the right status."""
    product = next(seen for seen in pages.values() if seen.similar and seen.in_stock)
    status, found = shop.search_by_photo(shop.photo(product))
    not_a_photo, _ = shop.search_by_photo(b"These are words, not a picture. " * 40)
    too_large, _ = shop.search_by_photo(bytes(settings.max_upload_bytes + 1))
    return {
        "answered": status == 200 and bool(found),
        # Equal photos of other products may come before it.
        "finds_the_product": found.get(product.pk, 0) >= SAME_PHOTO,
        "words_are_422": not_a_photo == 422,
        "too_large_is_413": too_large == 413,
    }
