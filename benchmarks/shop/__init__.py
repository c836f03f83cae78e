"""A shop of made-up products, as large as a benchmark wants it.

::

    with running_shop():
        filled = fill(100_000)
        from benchmarks.shop.models import Product
"""

from benchmarks.shop.filling import Filled, fill, fill_lists
from benchmarks.shop.indexes import build_index, drop_index
from benchmarks.shop.running import running_shop

__all__ = ["Filled", "build_index", "drop_index", "fill", "fill_lists", "running_shop"]
