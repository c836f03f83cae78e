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
                ("space", models.CharField(max_length=200)),
                ("sha256", models.CharField(max_length=64)),
                ("source_name", models.TextField(verbose_name="file")),
                ("items", models.PositiveIntegerField()),
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
            field=models.CharField(blank=True, db_default="", max_length=64),
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
            ),
        ),
    ]
