"""The tables behind the merchant's pages: matches, duplicates, how fresh and how good lists are."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


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
        indexes: ClassVar = [
            models.Index(
                fields=["second"], condition=models.Q(decision="variant"), name="imgrec_variant"
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
