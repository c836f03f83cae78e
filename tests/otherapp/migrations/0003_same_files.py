from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("otherapp", "0002_better_recall"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="productembedding",
            index=models.Index(fields=["sha256"], name="imgrec_ddfe782d88c3_file"),
        ),
    ]
