"""The tables: vectors and lists in the shop's app, jobs and spaces in ours; more in their rooms."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from imgrec.earning.tables import Experiment, ListCount, UsedToken
from imgrec.map_models import CatalogueMap, MapTile
from imgrec.reasons import Reason
from imgrec.rules import Rule
from imgrec.tables import EmbeddingBase

__all__ = [
    "CatalogueMap",
    "Embedding",
    "EmbeddingJob",
    "Experiment",
    "ListCount",
    "ListTile",
    "MapTile",
    "NeighbourList",
    "Placeholder",
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


class MatchScale(models.Model):
    """How similar two products of one category are by chance: what a match in percent is told by.

    ``category`` as text by ``path``, what ``IMGREC["category"]`` said then; ``""`` stands for the
    whole catalogue, in which pairs are of one category, too.
    """

    id = models.BigAutoField(primary_key=True)
    space = models.CharField(max_length=200)
    version = models.TextField()
    path = models.CharField(max_length=200, blank=True)
    category = models.TextField(blank=True)
    # 101 of them: of the cosine, from the least similar pair to the most similar one.
    quantiles = ArrayField(models.FloatField())
    products = models.PositiveIntegerField()
    calibrated_at = models.DateTimeField(db_default=Now())

    class Meta:
        default_permissions = ()
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["space", "version", "category"], name="imgrec_match_category"
            )
        ]

    def __str__(self) -> str:
        return f"{self.space} {self.category}"


class PhotoHash(models.Model):
    """What a photo looks like in a few bits, to tell copies of it from photos that resemble it."""

    id = models.BigAutoField(primary_key=True)
    space = models.CharField(max_length=200)
    object_pk = models.TextField()
    # Of the file that was hashed: of another one, it is to be hashed again.
    sha256 = models.CharField(max_length=64)
    # 64 bits each, of the whole picture and of parts of it; empty: it cannot be read.
    hashes = ArrayField(models.BigIntegerField(), default=list)

    class Meta:
        default_permissions = ()
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["space", "object_pk"], name="imgrec_hash_object")
        ]

    def __str__(self) -> str:
        return f"{self.space} {self.object_pk}"


class DuplicateLimits(models.Model):
    """How near two photos must be to count as one, as measured on copies of the shop's own."""

    space = models.CharField(max_length=200, primary_key=True)
    version = models.TextField()
    # The same picture in another file, and a part of it: least cosine, most bits apart.
    copy_similarity = models.FloatField()
    copy_bits = models.PositiveSmallIntegerField()
    crop_similarity = models.FloatField()
    crop_bits = models.PositiveSmallIntegerField()
    # On how many photos; by kind of copy, the share that these limits find.
    photos = models.PositiveIntegerField()
    found = models.JSONField(default=dict)
    calibrated_at = models.DateTimeField(db_default=Now())

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.space


class DuplicatePair(models.Model):
    """Two products whose photos are nearly the same, and what somebody decided about them.

    Keys of products as text, ``first`` before ``second`` in the order of text.
    """

    class Decision(models.TextChoices):
        OPEN = "", _("not decided")
        MERGE = "merge", _("the same product")
        VARIANT = "variant", _("variants of one product")
        DIFFERENT = "different", _("not a duplicate")

    id = models.BigAutoField(primary_key=True)
    space = models.CharField(pgettext_lazy("imgrec", "space"), max_length=200)
    first = models.TextField(_("key of the first product"))
    second = models.TextField(_("key of the second product"))
    similarity = models.FloatField(_("similarity"), null=True, blank=True)
    bits = models.PositiveSmallIntegerField(_("bits apart"), null=True, blank=True)
    decision = models.CharField(
        pgettext_lazy("imgrec", "decision"), max_length=10, blank=True, choices=Decision.choices
    )
    decided_by = models.CharField(_("decided by"), max_length=200, blank=True)
    decided_at = models.DateTimeField(_("decided at"), null=True, blank=True)

    class Meta:
        verbose_name = _("pair of duplicates")
        verbose_name_plural = _("duplicates")
        default_permissions = ("view", "change")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["space", "first", "second"], name="imgrec_duplicate_pair"
            )
        ]

    def __str__(self) -> str:
        return f"{self.space} {self.first} {self.second}"


class Freshness(models.Model):
    """How long saved photos took until their list was served: how many in a span, hour by hour."""

    id = models.BigAutoField(primary_key=True)
    space = models.CharField(max_length=200)
    hour = models.DateTimeField()
    # Which of the spans in ``imgrec.freshness``; their borders never change.
    span = models.PositiveSmallIntegerField()
    photos = models.PositiveIntegerField()

    class Meta:
        default_permissions = ()
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["space", "hour", "span"], name="imgrec_freshness_span")
        ]

    def __str__(self) -> str:
        return f"{self.space} {self.hour} {self.span}: {self.photos}"


class QualityFigures(models.Model):
    """What the last ``imgrec_eval`` of a space found out, as it told it."""

    space = models.CharField(max_length=200, primary_key=True)
    version = models.TextField()
    figures = models.JSONField()
    measured_at = models.DateTimeField(db_default=Now())

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.space


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
