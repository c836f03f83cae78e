from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("testapp", "0003_variants"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="artworkimageembedding",
            index=models.Index(fields=["sha256"], name="imgrec_8a2871fd133e_file"),
        ),
        migrations.AddIndex(
            model_name="itemphotoembedding",
            index=models.Index(fields=["sha256"], name="imgrec_e9223c85f2e2_file"),
        ),
        migrations.AddIndex(
            model_name="postcardembedding",
            index=models.Index(fields=["sha256"], name="imgrec_8159cc728aef_file"),
        ),
        migrations.AddIndex(
            model_name="posterembedding",
            index=models.Index(fields=["sha256"], name="imgrec_42cca0a765bf_file"),
        ),
        migrations.AddIndex(
            model_name="productembedding",
            index=models.Index(fields=["sha256"], name="imgrec_1e3ba06d6b0b_file"),
        ),
        migrations.AddIndex(
            model_name="twospacescoarse",
            index=models.Index(fields=["sha256"], name="imgrec_14abccd2c2fa_file"),
        ),
        migrations.AddIndex(
            model_name="twospacesfine",
            index=models.Index(fields=["sha256"], name="imgrec_4af05230232b_file"),
        ),
        migrations.AddIndex(
            model_name="uuidproductembedding",
            index=models.Index(fields=["sha256"], name="imgrec_76e31d8bfd4d_file"),
        ),
    ]
