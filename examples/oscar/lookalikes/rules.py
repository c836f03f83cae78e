"""oscar's rules of what may be seen and bought, as conditions in SQL, from the product on."""

from __future__ import annotations

from django.db.models import F, Q
from django.db.models.functions import Coalesce


def _in_stock(product: str = "") -> Q:
    """More in stock than allocated to orders; ``product``: path to it, ending in ``__``."""
    allocated = Coalesce(F(f"{product}stockrecords__num_allocated"), 0)
    return Q(**{f"{product}stockrecords__num_in_stock__gt": allocated})


def _untracked(product_class: str, product: str = "") -> Q:
    """Of a class without stock, and offered by some partner: always to be had."""
    tracks = {f"{product_class}__track_stock": False}
    return Q(**tracks, **{f"{product}stockrecords__isnull": False})


# A child is seen only while its parent is; a child without a class has its parent's.
VISIBLE = Q(is_public=True) & (Q(parent=None) | Q(parent__is_public=True))

# As oscar's strategies with StockRequired have it: a parent is to be had when one of its children
# is. They look at a product's first stock record, this at all of them.
AVAILABLE = (
    _in_stock()
    | _untracked("product_class")
    | _untracked("parent__product_class")
    | (Q(children__is_public=True) & _in_stock("children__"))
    | (Q(children__is_public=True) & _untracked("product_class", "children__"))
)
