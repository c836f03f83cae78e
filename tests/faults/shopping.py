"""What a merchant does to the products of a campaign, all of it seeded."""

from __future__ import annotations

import random
from itertools import count
from typing import Any

import numpy as np
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction
from PIL import Image

from tests.faults.history import History
from tests.pictures import png
from tests.testapp.models import Product


class _Rollback(Exception):
    """A view that fails after its save."""


class Shopping:
    """Photos that are told apart by their name: ``p<number>.png``, ever higher."""

    def __init__(self, dice: random.Random, history: History) -> None:
        self._dice = dice
        self._noise = np.random.default_rng(dice.randrange(2**32))
        self._numbers = count(1)
        self._history = history

    def photo(self) -> ContentFile[bytes]:
        """Return a picture that no other product has, under the next name."""
        colours = self._noise.integers(0, 256, (4, 4, 3), dtype=np.uint8)
        picture = Image.fromarray(colours).resize((16, 16), Image.Resampling.NEAREST)
        return ContentFile(png(picture), name=f"p{next(self._numbers)}.png")

    def fill(self, products: int) -> None:
        """Save so many products."""
        for _ in range(products):
            Product.objects.create(photo=self.photo())

    def any(self, number: int = 1) -> list[Any]:
        """Return some products, as the database has them."""
        keys = list(Product.objects.order_by("pk").values_list("pk", flat=True))
        chosen = self._dice.sample(keys, min(number, len(keys)))
        return sorted(Product.objects.filter(pk__in=chosen), key=lambda each: each.pk)

    def replace(self, product: Any) -> str:
        """Save another photo; return its name."""
        product.photo = self.photo()
        product.save()
        return str(product.photo.name)

    def replace_quietly(self, product: Any) -> None:
        """Change the photo's name as no signal tells: the sweep has to find it."""
        photo = self.photo()
        name = default_storage.save(f"products/{photo.name}", photo)
        Product.objects.filter(pk=product.pk).update(photo=name)

    def clear(self, product: Any) -> None:
        """Take the photo away."""
        product.photo = ""
        product.save()

    def delete(self, product: Any) -> None:
        """Take the product away, and bring another."""
        product.delete()
        Product.objects.create(photo=self.photo())

    def roll_back(self, product: Any) -> None:
        """Save another photo in a transaction that comes to nothing."""
        try:
            with transaction.atomic():
                self.replace(product)
                raise _Rollback
        except _Rollback:
            pass

    def publish(self, product: Any) -> None:
        """Change what has nothing to do with the photo."""
        product.published = not product.published
        product.save(update_fields=["published"])

    def something(self, times: int = 3) -> None:
        """Do so many things by chance."""
        deeds = [self.replace] * 4 + [self.replace_quietly, self.clear, self.delete]
        deeds += [self.roll_back, self.publish]
        for product in self.any(times):
            deed = self._dice.choice(deeds)
            self._history.note(f"    {deed.__name__} {product.pk}")
            deed(product)
