from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("imgrec", "0011_rule_sets"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="duplicatepair",
            index=models.Index(
                condition=models.Q(("decision", "variant")),
                fields=["second"],
                name="imgrec_variant",
            ),
        ),
    ]
