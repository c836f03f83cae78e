"""The tables: vectors and lists in the shop's app, jobs and spaces in ours; more in their rooms."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from imgrec.desk_models import (
    DuplicateLimits,
    DuplicatePair,
    Freshness,
    MatchScale,
    PhotoHash,
    QualityFigures,
)
from imgrec.earning.tables import Experiment, ListCount, UsedToken
from imgrec.map_models import CatalogueMap, MapTile
from imgrec.reasons import Reason
from imgrec.rules import Rule
from imgrec.tables import EmbeddingBase

__all__ = [
    "CatalogueMap",
    "DuplicateLimits",
    "DuplicatePair",
    "Embedding",
    "EmbeddingJob",
    "Experiment",
    "Freshness",
    "ListCount",
    "ListTile",
    "MapTile",
    "MatchScale",
    "NeighbourList",
    "PhotoHash",
    "Placeholder",
    "QualityFigures",
    "Rule",
    "Space",
    "Tally",
    "UsedToken",
]


class Embedding(models.Model, metaclass=EmbeddingBase):
    """One photo's vector, one-to-one with the row that owns the photo.

    Subclass it in an app of your own for a model you do not own::

        class PhotoEmbedding(imgrec.Embedding):
            class Imgrec:
                model = "catalogue.ProductImage"
                source = "original"
                item = "product"

    ``Imgrec`` takes what :class:`imgrec.ImageEmbeddingField` takes, and ``model``.
    Columns are frozen: an upgrade of imgrec never makes a migration in the shop.
    """

    source_name = models.TextField()
    sha256 = models.CharField(max_length=64)
    version = models.TextField()
    job_id = models.BigIntegerField()
    embedded_at = models.DateTimeField()

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self._meta.label} of {self.pk}"


class NeighbourList(models.Model):
    """One item's stored top-k: ids and cosine similarities, most similar first, unfiltered.

    The generated subclass adds ``owner`` (one-to-one with the item) and ``neighbours``
    (an array of the item's own key type).
    """

    similarities = ArrayField(models.FloatField())
    version = models.TextField()
    updated_at = models.DateTimeField()

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self._meta.label} of {self.pk}"


class EmbeddingJob(models.Model):
    """One piece of work not yet done, or failed with a reason.

    Written in the transaction that changed the photo; append-only, so that a second save of
    the same product never waits for the first. Whoever claims a job merges the older ones.
    """

    class State(models.TextChoices):
        QUEUED = "queued", _("queued")
        LEASED = "leased", _("being embedded")
        LISTS = "lists", _("waiting for its list")
        FAILED = "failed", _("failed")
        EXCLUDED = "excluded", _("excluded")

    id = models.BigAutoField(primary_key=True)
    space = models.CharField(pgettext_lazy("imgrec", "space"), max_length=200)
    object_pk = models.TextField(_("key of the photo"))
    item_pk = models.TextField(_("key of the product"), blank=True)
    state = models.CharField(
        pgettext_lazy("imgrec", "state"), max_length=8, choices=State.choices, default=State.QUEUED
    )
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    # Lower is sooner: a saved photo overtakes a reindex.
    priority = models.PositiveSmallIntegerField(_("priority"), default=0)
    # Claimable from here on: the end of a lease, or of a wait after an error.
    due_at = models.DateTimeField(_("due at"), db_default=Now())
    created_at = models.DateTimeField(_("created at"), db_default=Now())
    source_name = models.TextField(_("file"), blank=True)
    # Of the placeholder picture that an excluded photo shows.
    sha256 = models.CharField(_("SHA-256 of the picture"), max_length=64, blank=True, db_default="")
    reason = models.CharField(_("reason"), max_length=32, blank=True, choices=Reason.choices)
    message = models.TextField(_("message"), blank=True)

    class Meta:
        verbose_name = _("embedding job")
        verbose_name_plural = _("embedding jobs")
        indexes: ClassVar = [
            models.Index(fields=["space", "object_pk"], name="imgrec_job_object"),
            models.Index(
                fields=["space", "priority", "id"],
                name="imgrec_job_claim",
                condition=models.Q(state__in=["queued", "leased"]),
            ),
            models.Index(
                fields=["space", "id"],
                name="imgrec_job_lists",
                condition=models.Q(state="lists"),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.space} {self.object_pk}: {self.state}"


class Space(models.Model):
    """One field's vectors: which version is served, and whether it is the one shoppers see."""

    label = models.CharField(pgettext_lazy("imgrec", "space"), max_length=200, primary_key=True)
    item_model = models.CharField(_("model of the products"), max_length=200)
    # The vectors' table: while it is there, so is the field, in whatever version of the code.
    table = models.CharField(max_length=200)
    # Of all spaces of an item model, the one whose lists are shown.
    is_served = models.BooleanField(pgettext_lazy("imgrec", "served"), default=False)
    # An inactive space gets no work done.
    is_active = models.BooleanField(_("active"), default=True)
    served_version = models.TextField(_("served version"), blank=True)
    run_started_at = models.DateTimeField(_("last reindex started at"), null=True, blank=True)
    run_total = models.PositiveIntegerField(default=0)
    # Workers leave the run's jobs alone since then.
    run_paused_at = models.DateTimeField(null=True, blank=True)
    # What was measured on the shop's own vectors: the hnsw.ef_search that reaches the recall
    # wanted (empty: the setting), the recall@10 it reached, and when.
    ef_search = models.PositiveSmallIntegerField(null=True, blank=True)
    recall = models.FloatField(null=True, blank=True)
    recall_measured_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = pgettext_lazy("imgrec", "space")
        verbose_name_plural = pgettext_lazy("imgrec", "spaces")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["item_model"],
                condition=models.Q(is_served=True),
                name="imgrec_one_served_space",
            )
        ]

    def __str__(self) -> str:
        return self.label


class Placeholder(models.Model):
    """A picture that stands for many items of a space, and so says nothing about any of them."""

    id = models.BigAutoField(primary_key=True)
    space = models.CharField(pgettext_lazy("imgrec", "space"), max_length=200)
    sha256 = models.CharField(_("SHA-256 of the picture"), max_length=64)
    # One of its files, and of how many items it was the photo when it was found.
    source_name = models.TextField(_("file"))
    items = models.PositiveIntegerField(_("products when it was found"))
    # Somebody decided that it is a photo like any other.
    is_allowed = models.BooleanField(pgettext_lazy("imgrec", "used"), default=False)

    class Meta:
        verbose_name = _("placeholder picture")
        verbose_name_plural = _("placeholder pictures")
        default_permissions = ("view", "change")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["space", "sha256"], name="imgrec_placeholder_sha256")
        ]

    def __str__(self) -> str:
        return f"{self.space} {self.sha256[:12]}"


class ListTile(models.Model):
    """Some items of a space whose lists are to be built, in one go with no others.

    All tiles of a build are made at once; whoever works takes one that nobody holds. They go
    when the last is done, and until then they are the build's memory and its progress.
    """

    id = models.BigAutoField(primary_key=True)
    space = models.CharField(max_length=200)
    number = models.PositiveIntegerField()
    items = ArrayField(models.TextField())
    # Numbers of the tiles to compare with, itself among them; empty: every item of the space.
    compared_with = ArrayField(models.PositiveIntegerField(), default=list)
    is_done = models.BooleanField(default=False)

    class Meta:
        default_permissions = ()
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["space", "number"], name="imgrec_tile_number")
        ]

    def __str__(self) -> str:
        return f"{self.space} tile {self.number}"


class Tally(models.Model):
    """How much of something was ever done in a space, by all workers, and when last.

    Finished jobs leave no trace: from this come rates, and whether anything moves.
    """

    class What(models.TextChoices):
        EMBEDDED = "embedded"  # photos that got a vector
        UNCHANGED = "unchanged"  # photos that had the right one already
        REMOVED = "removed"  # photos that are gone
        FAILED = "failed"
        EXCLUDED = "excluded"
        LISTED = "listed"  # marks whose lists were brought up to date
        TILES = "tiles"
        SWEEPS = "sweeps"
        ERRORS = "errors"  # work broken off by an error of nobody's photo

    id = models.BigAutoField(primary_key=True)
    space = models.CharField(max_length=200)
    what = models.CharField(max_length=16)
    total = models.BigIntegerField()
    counted_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["space", "what"], name="imgrec_tally_what")
        ]

    def __str__(self) -> str:
        return f"{self.space} {self.what}: {self.total}"
