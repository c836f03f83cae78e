import django.core.validators
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("imgrec", "0009_catalogue_map"),
    ]

    operations = [
        migrations.CreateModel(
            name="UsedToken",
            fields=[
                ("nonce", models.BigIntegerField(primary_key=True, serialize=False)),
                ("view", models.BigIntegerField()),
                ("events", models.BigIntegerField()),
                ("before", models.BigIntegerField()),
                ("used_at", models.DateTimeField()),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="Experiment",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=100, verbose_name="name")),
                (
                    "item_model",
                    models.CharField(
                        editable=False, max_length=200, verbose_name="model of the products"
                    ),
                ),
                (
                    "placement",
                    models.CharField(blank=True, max_length=64, verbose_name="placement"),
                ),
                ("space_a", models.CharField(max_length=200, verbose_name="space A")),
                ("space_b", models.CharField(max_length=200, verbose_name="space B")),
                (
                    "share_of_b",
                    models.PositiveSmallIntegerField(
                        default=50,
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(99),
                        ],
                        verbose_name="share of B in percent",
                    ),
                ),
                (
                    "expected_percent",
                    models.FloatField(
                        validators=[
                            django.core.validators.MinValueValidator(0.01),
                            django.core.validators.MaxValueValidator(50),
                        ],
                        verbose_name="expected click-through rate in percent",
                    ),
                ),
                (
                    "effect_percent",
                    models.PositiveSmallIntegerField(
                        default=20,
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(95),
                        ],
                        verbose_name="smallest difference worth knowing, in percent",
                    ),
                ),
                (
                    "needed",
                    models.PositiveIntegerField(
                        editable=False, verbose_name="views needed per arm"
                    ),
                ),
                ("started_at", models.DateTimeField(auto_now_add=True, verbose_name="started")),
                (
                    "ended_at",
                    models.DateTimeField(
                        blank=True, editable=False, null=True, verbose_name="ended"
                    ),
                ),
            ],
            options={
                "verbose_name": "comparison of two spaces",
                "verbose_name_plural": "comparisons of two spaces",
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("ended_at", None)),
                        fields=("item_model", "placement"),
                        name="imgrec_one_running_experiment",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="ListCount",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("day", models.DateField(verbose_name="day")),
                (
                    "placement",
                    models.CharField(blank=True, max_length=64, verbose_name="placement"),
                ),
                ("space", models.CharField(max_length=200, verbose_name="space")),
                (
                    "experiment",
                    models.BigIntegerField(default=0, verbose_name="number of the comparison"),
                ),
                ("arm", models.CharField(blank=True, max_length=1, verbose_name="arm")),
                ("shard", models.PositiveSmallIntegerField(verbose_name="shard")),
                ("shown", models.BigIntegerField(default=0, verbose_name="lists shown")),
                ("seen", models.BigIntegerField(default=0, verbose_name="lists seen")),
                ("clicked", models.BigIntegerField(default=0, verbose_name="lists clicked")),
                ("clicks", models.BigIntegerField(default=0, verbose_name="products clicked")),
            ],
            options={
                "verbose_name": "count of similar products",
                "verbose_name_plural": "does it earn?",
                "default_permissions": ("view",),
                "constraints": [
                    models.UniqueConstraint(
                        fields=("day", "placement", "space", "experiment", "arm", "shard"),
                        name="imgrec_list_count",
                    )
                ],
            },
        ),
    ]
