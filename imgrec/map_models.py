"""The tables of the catalogue's map: one picture of a whole space, cut into tiles."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


class CatalogueMap(models.Model):
    """A map that was asked for, is being made, or is finished: the last of these is shown.

    The row is the making's memory: who deletes it, stops it.
    """

    class Stage(models.TextChoices):
        WAITING = "waiting", _("waits for a worker")
        LAYOUT = "layout", _("arranging the products")
        PICTURES = "pictures", _("making small pictures")

    id = models.BigAutoField(primary_key=True)
    space = models.CharField(max_length=200)
    version = models.TextField(blank=True)
    # What products are coloured by, a path such as "category__name"; empty: nothing.
    category = models.CharField(max_length=200, blank=True)
    asked_at = models.DateTimeField(db_default=Now())
    attempts = models.PositiveSmallIntegerField(default=0)
    stage = models.CharField(max_length=16, choices=Stage.choices, default=Stage.WAITING)
    stage_at = models.DateTimeField(null=True, blank=True)
    moved_at = models.DateTimeField(null=True, blank=True)
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    finished_at = models.DateTimeField(null=True, blank=True)
    # Why it came to nothing.
    message = models.TextField(blank=True)

    columns = models.PositiveIntegerField(default=0)
    rows = models.PositiveIntegerField(default=0)
    categories = ArrayField(models.TextField(), default=list)
    # Column and row (uint16 each) and category (uint8, 255 is none) of each product, packed.
    points = models.BinaryField(default=bytes)
    # Keys, as text, of products that stand out, and the empty places: see
    # imgrec.catalogue_map.oddities.
    oddities = models.JSONField(default=dict)

    class Meta:
        default_permissions = ()
        indexes: ClassVar = [models.Index(fields=["space", "-id"], name="imgrec_map_space")]

    def __str__(self) -> str:
        return f"{self.space} map {self.pk}"


class MapTile(models.Model):
    """A square of the map: its products, where each is in it, and their small pictures."""

    id = models.BigAutoField(primary_key=True)
    map = models.ForeignKey(CatalogueMap, on_delete=models.CASCADE, related_name="tiles")
    column = models.PositiveIntegerField()
    row = models.PositiveIntegerField()
    items = ArrayField(models.TextField())
    # Place of each in the square, row by row.
    places = ArrayField(models.PositiveSmallIntegerField())
    sheet = models.BinaryField()

    class Meta:
        default_permissions = ()
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["map", "column", "row"], name="imgrec_map_tile")
        ]

    def __str__(self) -> str:
        return f"{self.map_id}: {self.column}, {self.row}"
