from django.contrib.postgres.fields import ArrayField
from django.db import migrations, models
from django.db.models.functions import Now


class Migration(migrations.Migration):
    dependencies = [
        ("imgrec", "0006_match_scales"),
    ]

    operations = [
        migrations.CreateModel(
            name="PhotoHash",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("space", models.CharField(max_length=200)),
                ("object_pk", models.TextField()),
                ("sha256", models.CharField(max_length=64)),
                ("hashes", ArrayField(models.BigIntegerField(), default=list)),
            ],
            options={
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(
                        fields=("space", "object_pk"), name="imgrec_hash_object"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="DuplicateLimits",
            fields=[
                ("space", models.CharField(max_length=200, primary_key=True, serialize=False)),
                ("version", models.TextField()),
                ("copy_similarity", models.FloatField()),
                ("copy_bits", models.PositiveSmallIntegerField()),
                ("crop_similarity", models.FloatField()),
                ("crop_bits", models.PositiveSmallIntegerField()),
                ("photos", models.PositiveIntegerField()),
                ("found", models.JSONField(default=dict)),
                ("calibrated_at", models.DateTimeField(db_default=Now())),
            ],
            options={"default_permissions": ()},
        ),
        migrations.CreateModel(
            name="DuplicatePair",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("space", models.CharField(max_length=200, verbose_name="space")),
                ("first", models.TextField(verbose_name="key of the first product")),
                ("second", models.TextField(verbose_name="key of the second product")),
                (
                    "similarity",
                    models.FloatField(blank=True, null=True, verbose_name="similarity"),
                ),
                (
                    "bits",
                    models.PositiveSmallIntegerField(
                        blank=True, null=True, verbose_name="bits apart"
                    ),
                ),
                (
                    "decision",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("", "not decided"),
                            ("merge", "the same product"),
                            ("variant", "variants of one product"),
                            ("different", "not a duplicate"),
                        ],
                        max_length=10,
                        verbose_name="decision",
                    ),
                ),
                (
                    "decided_by",
                    models.CharField(blank=True, max_length=200, verbose_name="decided by"),
                ),
                (
                    "decided_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="decided at"),
                ),
            ],
            options={
                "verbose_name": "pair of duplicates",
                "verbose_name_plural": "duplicates",
                "default_permissions": ("view", "change"),
                "constraints": [
                    models.UniqueConstraint(
                        fields=("space", "first", "second"), name="imgrec_duplicate_pair"
                    )
                ],
            },
        ),
    ]
