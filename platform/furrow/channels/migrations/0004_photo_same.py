from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("channels", "0003_people_photos_and_outside")]

    operations = [
        migrations.AddIndex("photo", models.Index(fields=["tenant", "sha256"], name="photo_same")),
    ]
