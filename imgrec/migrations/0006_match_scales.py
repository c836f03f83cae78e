from django.contrib.postgres.fields import ArrayField
from django.db import migrations, models
from django.db.models.functions import Now


class Migration(migrations.Migration):
    dependencies = [
        ("imgrec", "0005_steering_rules"),
    ]

    operations = [
        migrations.CreateModel(
            name="MatchScale",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("space", models.CharField(max_length=200)),
                ("version", models.TextField()),
                ("path", models.CharField(blank=True, max_length=200)),
                ("category", models.TextField(blank=True)),
                ("quantiles", ArrayField(models.FloatField())),
                ("products", models.PositiveIntegerField()),
                ("calibrated_at", models.DateTimeField(db_default=Now())),
            ],
            options={
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(
                        fields=("space", "version", "category"), name="imgrec_match_category"
                    )
                ],
            },
        ),
    ]
