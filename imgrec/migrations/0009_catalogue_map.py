import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("imgrec", "0008_overview"),
    ]

    operations = [
        migrations.CreateModel(
            name="CatalogueMap",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("space", models.CharField(max_length=200)),
                ("version", models.TextField(blank=True)),
                ("category", models.CharField(blank=True, max_length=200)),
                (
                    "asked_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                (
                    "stage",
                    models.CharField(
                        choices=[
                            ("waiting", "waits for a worker"),
                            ("layout", "arranging the products"),
                            ("pictures", "making small pictures"),
                        ],
                        default="waiting",
                        max_length=16,
                    ),
                ),
                ("stage_at", models.DateTimeField(blank=True, null=True)),
                ("moved_at", models.DateTimeField(blank=True, null=True)),
                ("done", models.PositiveIntegerField(default=0)),
                ("total", models.PositiveIntegerField(default=0)),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
                ("message", models.TextField(blank=True)),
                ("columns", models.PositiveIntegerField(default=0)),
                ("rows", models.PositiveIntegerField(default=0)),
                (
                    "categories",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.TextField(), default=list, size=None
                    ),
                ),
                ("points", models.BinaryField(default=bytes)),
                ("oddities", models.JSONField(default=dict)),
            ],
            options={
                "default_permissions": (),
                "indexes": [models.Index(fields=["space", "-id"], name="imgrec_map_space")],
            },
        ),
        migrations.CreateModel(
            name="MapTile",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("column", models.PositiveIntegerField()),
                ("row", models.PositiveIntegerField()),
                (
                    "items",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.TextField(), size=None
                    ),
                ),
                (
                    "places",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.PositiveSmallIntegerField(), size=None
                    ),
                ),
                ("sheet", models.BinaryField()),
                (
                    "map",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="tiles",
                        to="imgrec.cataloguemap",
                    ),
                ),
            ],
            options={
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(fields=("map", "column", "row"), name="imgrec_map_tile")
                ],
            },
        ),
    ]
