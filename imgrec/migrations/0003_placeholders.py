from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("imgrec", "0002_lists_in_tiles"),
    ]

    operations = [
        migrations.CreateModel(
            name="Placeholder",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("space", models.CharField(max_length=200, verbose_name="space")),
                ("sha256", models.CharField(max_length=64, verbose_name="SHA-256 of the picture")),
                ("source_name", models.TextField(verbose_name="file")),
                ("items", models.PositiveIntegerField(verbose_name="products when it was found")),
                ("is_allowed", models.BooleanField(default=False, verbose_name="used")),
            ],
            options={
                "verbose_name": "placeholder picture",
                "verbose_name_plural": "placeholder pictures",
                "default_permissions": ("view", "change"),
                "constraints": [
                    models.UniqueConstraint(
                        fields=("space", "sha256"), name="imgrec_placeholder_sha256"
                    )
                ],
            },
        ),
        migrations.AddField(
            model_name="embeddingjob",
            name="sha256",
            field=models.CharField(
                blank=True, db_default="", max_length=64, verbose_name="SHA-256 of the picture"
            ),
        ),
        migrations.AlterField(
            model_name="embeddingjob",
            name="state",
            field=models.CharField(
                choices=[
                    ("queued", "queued"),
                    ("leased", "being embedded"),
                    ("lists", "waiting for its list"),
                    ("failed", "failed"),
                    ("excluded", "excluded"),
                ],
                default="queued",
                max_length=8,
                verbose_name="state",
            ),
        ),
    ]
