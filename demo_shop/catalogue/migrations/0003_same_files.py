from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("shop", "0002_better_recall"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="productembedding",
            index=models.Index(fields=["sha256"], name="imgrec_ddb9044a600b_file"),
        ),
        migrations.AddIndex(
            model_name="productembeddinglite",
            index=models.Index(fields=["sha256"], name="imgrec_f1d69407991a_file"),
        ),
    ]
