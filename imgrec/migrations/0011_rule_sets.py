from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("imgrec", "0010_earning"),
    ]

    operations = [
        migrations.AddField(
            model_name="rule",
            name="rule_set",
            field=models.CharField(
                blank=True, db_default="", default="", max_length=64, verbose_name="rule set"
            ),
        ),
        migrations.AddField(
            model_name="experiment",
            name="rules_a",
            field=models.CharField(
                blank=True, db_default="", default="", max_length=64, verbose_name="rule set A"
            ),
        ),
        migrations.AddField(
            model_name="experiment",
            name="rules_b",
            field=models.CharField(
                blank=True, db_default="", default="", max_length=64, verbose_name="rule set B"
            ),
        ),
        migrations.AlterModelOptions(
            name="experiment",
            options={
                "verbose_name": "A/B comparison",
                "verbose_name_plural": "A/B comparisons",
            },
        ),
    ]
