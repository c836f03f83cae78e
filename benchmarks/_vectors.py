"""Made-up product features that behave like a convolutional network's, any number of them.

How they are made: a shop has 100 categories of 40 styles, of sizes that fall off as Zipf's law
has it. A product is a point of 256 hidden properties: its category's place, its style's around
that, and its own around the style's, where each category varies along an order of properties of
its own, falling off as a power law, and each style is tight or loose. A few products have a
variant, all but the same picture. A random layer with a ReLU, as at the end of a network, turns
hidden properties into features: never negative, most of them zero, some channels stronger than
others. Rows are normalised.

The numbers below were fitted to the features EfficientNet-Lite0 gives for 875 real product
photos in 15 categories: ``python -m benchmarks.vectors`` shows both side by side. Plain Gaussian
noise has no near neighbours at all, and Gaussian clusters have far too many at one distance:
indexes do badly on the one and too well on the other.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]

CATEGORIES, STYLES, HIDDEN = 100, 40, 256
# How much of what makes a product is its category, its style, its own, its variant's.
OF_CATEGORY, OF_STYLE, OF_PRODUCT, OF_VARIANT = 0.4, 0.31, 0.95, 0.1
# How fast properties lose weight: between categories and styles, and within a style.
BETWEEN, WITHIN = 0.57, 0.78
# Zipf's exponents of the sizes of categories, and of styles within one.
CATEGORY_SIZES, STYLE_SIZES = 1.2, 0.6
# Spread of how loose styles are (of its logarithm), and the tightest there is.
LOOSENESS, TIGHTEST = 1.5, 0.2
VARIANTS, VARIANTS_EACH = 0.06, 2
CHUNK = 32_768


def clustered(n: int, *, dimensions: int = 512, seed: int = 0, draw: int = 0) -> Vectors:
    """Return ``n`` unit rows, float32, (n, dimensions); 1,000,000 of 512 take 2 GB.

    ``seed`` chooses the shop, ``draw`` the products: photos of the same shop that are not in
    the catalogue have another ``draw``.
    """
    rows = np.empty((n, dimensions), np.float32)
    start = 0
    for part in chunks(n, dimensions=dimensions, seed=seed, draw=draw):
        rows[start : start + len(part)] = part
        start += len(part)
    return rows


def chunks(n: int, *, dimensions: int = 512, seed: int = 0, draw: int = 0) -> Iterator[Vectors]:
    """Yield the same rows a chunk at a time."""
    shop = _Shop(dimensions, seed)
    for count, random in _draws(n, seed, draw):
        yield shop.features(shop.products(count, random)[0])


def categories(n: int, *, seed: int = 0, draw: int = 0) -> NDArray[np.int64]:
    """Return the category of each row, (n,): 0, the largest, to 99."""
    shop = _Shop(1, seed)
    return np.concatenate([shop.products(*each)[1] for each in _draws(n, seed, draw)])


def _draws(n: int, seed: int, draw: int) -> Iterator[tuple[int, np.random.Generator]]:
    for number, start in enumerate(range(0, n, CHUNK)):
        yield min(CHUNK, n - start), np.random.default_rng([seed, draw, number, 1])


class _Shop:
    """Where a shop's categories and styles lie, and the layer that makes features of them."""

    def __init__(self, dimensions: int, seed: int) -> None:
        random = np.random.default_rng([seed, 0])
        between, within = _falling(BETWEEN), _falling(WITHIN)
        centres = OF_CATEGORY * random.standard_normal((CATEGORIES, 1, HIDDEN)) * between
        around = OF_STYLE * random.standard_normal((CATEGORIES, STYLES, HIDDEN)) * between
        around *= np.exp(random.normal(0, 0.3, (CATEGORIES, STYLES, 1)))
        self.styles = (centres + around).reshape(-1, HIDDEN).astype(np.float32)
        self.varies = np.stack([random.permutation(within) for _ in range(CATEGORIES)])
        loose = np.exp(random.normal(0, LOOSENESS, CATEGORIES * STYLES))
        self.loose = np.maximum(loose, TIGHTEST).astype(np.float32)
        self.layer = random.standard_normal((HIDDEN, dimensions), np.float32)
        self.bias = random.normal(-0.32, 0.57, dimensions).astype(np.float32)
        self.gain = np.exp(random.normal(0, 0.44, dimensions)).astype(np.float32)

    def products(self, n: int, random: np.random.Generator) -> tuple[Vectors, NDArray[np.int64]]:
        """Return hidden properties, (n, HIDDEN), and categories, (n,)."""
        product, varied = _variants(n, random)
        count = product.max() + 1
        category = random.choice(CATEGORIES, count, p=_zipf(CATEGORIES, CATEGORY_SIZES))
        style = category * STYLES + random.choice(STYLES, count, p=_zipf(STYLES, STYLE_SIZES))
        own = random.standard_normal((count, HIDDEN), np.float32) * self.varies[category]
        hidden = (self.styles[style] + OF_PRODUCT * self.loose[style, None] * own)[product]
        strength = OF_VARIANT * np.exp(random.normal(0, 0.4, varied.size))
        hidden[varied] += (
            random.standard_normal((varied.size, HIDDEN), np.float32)
            * self.varies[category[product[varied]]]
            * strength[:, None].astype(np.float32)
        )
        return hidden, category[product]

    def features(self, hidden: Vectors) -> Vectors:
        """Return unit rows, (n, dimensions)."""
        features = np.maximum(hidden @ self.layer + self.bias, 0) * self.gain
        features /= np.linalg.norm(features, axis=1, keepdims=True)
        return np.asarray(features, np.float32)


def _variants(n: int, random: np.random.Generator) -> tuple[Any, Any]:
    """Return which product each row shows, (n,), and the rows that show a variant."""
    alone = n - int(n * VARIANTS)
    several = np.arange(n - alone) // VARIANTS_EACH
    product = random.permutation(np.concatenate([np.arange(alone), alone + several]))
    return product, np.flatnonzero(product >= alone)


def _falling(exponent: float) -> Vectors:
    weights = np.arange(1, HIDDEN + 1) ** -exponent
    return np.asarray(weights / np.linalg.norm(weights), np.float32)


def _zipf(count: int, exponent: float) -> NDArray[np.float64]:
    shares = np.arange(1, count + 1) ** -exponent
    return np.asarray(shares / shares.sum())
