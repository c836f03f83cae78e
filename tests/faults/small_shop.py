"""A handful of products, and all that a merchant does to them: seen by signals, and unseen."""

from __future__ import annotations

from hashlib import sha256
from itertools import count
from typing import Any

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection, transaction
from django.db.models import QuerySet

from imgrec.spaces import SpaceDefinition
from tests.pictures import picture, png
from tests.testapp.models import Product

# A photo of its own, the picture that others have as well, no picture, and no file.
KINDS = ("plain", "twin", "broken", "missing")
TWIN = png(picture(0.0))
_TABLES = "testapp_product, imgrec_embeddingjob, imgrec_placeholder, imgrec_tally"
_EMPTY = f"TRUNCATE {_TABLES}, {{vectors}}, {{lists}} CASCADE"

_numbers = count()


class _Rollback(Exception):
    """A view that fails after its save."""


class SmallShop:
    """Begins empty. Photos are never overwritten: a name says for ever what is in the file."""

    def __init__(self, space: SpaceDefinition) -> None:
        self.space = space
        self.digests: dict[str, str] = {}  # of the file of every photo, by its name
        self.forms: list[Product] = []  # opened by somebody, who saves them as they are, later
        self.gone: list[Product] = []
        self._made = 0
        vectors, lists = space.embedding_model._meta.db_table, space.list_model._meta.db_table
        with connection.cursor() as cursor:
            cursor.execute(_EMPTY.format(vectors=vectors, lists=lists))

    @property
    def rows(self) -> QuerySet[Any]:
        return Product.objects.order_by("pk")

    def any(self, place: int) -> Any:
        """Return the product at that place, or at the next best; None in an empty shop."""
        found = list(self.rows)
        return found[place % len(found)] if found else None

    def save(self, kind: str) -> None:
        self._noted(Product.objects.create(photo=self._photo(kind)))

    def import_rows(self, kinds: list[str]) -> None:
        """Add products as no signal tells."""
        Product.objects.bulk_create(Product(photo=self._stored(kind)) for kind in kinds)

    def replace(self, product: Any, kind: str) -> None:
        product.photo = self._photo(kind)
        product.save()
        self._noted(product)

    def replace_unseen(self, product: Any, kind: str) -> None:
        Product.objects.filter(pk=product.pk).update(photo=self._stored(kind))

    def roll_back(self, product: Any, kind: str) -> None:
        """Save another photo in a transaction that comes to nothing."""
        try:
            with transaction.atomic():
                self.replace(product, kind)
                raise _Rollback
        except _Rollback:
            pass

    def save_form(self, place: int) -> None:
        """Save a product as it was when somebody opened it, whatever became of it since."""
        self.forms.pop(place % len(self.forms)).save()

    def clear(self, product: Any) -> None:
        product.photo = ""
        product.save()

    def clear_unseen(self, product: Any) -> None:
        Product.objects.filter(pk=product.pk).update(photo="")

    def delete(self, product: Any) -> None:
        self.gone.append(Product(pk=product.pk))
        product.delete()

    def delete_unseen(self, product: Any) -> None:
        """Delete the row as SQL does; vectors and lists know nothing of it."""
        self.gone.append(Product(pk=product.pk))
        rows: Any = Product.objects.filter(pk=product.pk)
        rows._raw_delete(rows.db)

    def publish(self, product: Any, *, published: bool, stock: int) -> None:
        product.published, product.stock = published, stock
        product.save(update_fields=["published", "stock"])

    def _photo(self, kind: str) -> Any:
        """Return a photo as a form hands it over, or the name of a file that is not there."""
        self._made += 1
        name = f"{next(_numbers)}-{kind}.png"
        if kind == "missing":
            return f"products/{name}"
        return ContentFile(self._data(kind), name=name)

    def _stored(self, kind: str) -> str:
        photo = self._photo(kind)
        name = photo if isinstance(photo, str) else default_storage.save(photo.name, photo)
        return self._remembered(name)

    def _data(self, kind: str) -> bytes:
        own = png(picture(self._made * 0.137, shade=self._made % 7 / 20))
        return {"plain": own, "twin": TWIN, "broken": b"no picture %d" % self._made}[kind]

    def _noted(self, product: Product) -> None:
        self._remembered(str(product.photo.name))

    def _remembered(self, name: str) -> str:
        if "missing" not in name:
            with default_storage.open(name) as file:
                self.digests[name] = sha256(file.read()).hexdigest()
        return name


def kind_of(name: str) -> str:
    """Return what is in the file of that name."""
    return next(kind for kind in KINDS if kind in name)
