from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("imgrec", "0003_placeholders"),
    ]

    operations = [
        migrations.CreateModel(
            name="Tally",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("space", models.CharField(max_length=200)),
                ("what", models.CharField(max_length=16)),
                ("total", models.BigIntegerField()),
                ("counted_at", models.DateTimeField()),
            ],
            options={
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(fields=("space", "what"), name="imgrec_tally_what")
                ],
            },
        ),
    ]
