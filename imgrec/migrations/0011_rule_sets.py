from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("imgrec", "0010_earning"),
    ]

    operations = [
        migrations.AddField(
            model_name="rule",
            name="rule_set",
            field=models.CharField(blank=True, default="", max_length=64, verbose_name="rule set"),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="experiment",
            name="rules_a",
            field=models.CharField(
                blank=True, default="", max_length=64, verbose_name="rule set A"
            ),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="experiment",
            name="rules_b",
            field=models.CharField(
                blank=True, default="", max_length=64, verbose_name="rule set B"
            ),
            preserve_default=False,
        ),
        migrations.AlterModelOptions(
            name="experiment",
            options={
                "verbose_name": "A/B comparison",
                "verbose_name_plural": "A/B comparisons",
            },
        ),
    ]
