from django.db import migrations, models
from django.db.models.functions import Now


class Migration(migrations.Migration):
    dependencies = [
        ("imgrec", "0007_duplicates"),
    ]

    operations = [
        migrations.AddField(
            model_name="space",
            name="run_paused_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.CreateModel(
            name="Freshness",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("space", models.CharField(max_length=200)),
                ("hour", models.DateTimeField()),
                ("span", models.PositiveSmallIntegerField()),
                ("photos", models.PositiveIntegerField()),
            ],
            options={
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(
                        fields=("space", "hour", "span"), name="imgrec_freshness_span"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="QualityFigures",
            fields=[
                ("space", models.CharField(max_length=200, primary_key=True, serialize=False)),
                ("version", models.TextField()),
                ("figures", models.JSONField()),
                ("measured_at", models.DateTimeField(db_default=Now())),
            ],
            options={"default_permissions": ()},
        ),
    ]
