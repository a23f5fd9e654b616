"""Settings of the test suite: the real ones with test secrets, fast hashing and mail in memory."""

import os
import tempfile
from pathlib import Path

os.environ.setdefault("FURROW_ENV", "test")
os.environ.setdefault("SECRET_KEY", "only-for-tests")
os.environ.setdefault("EMBEDDINGS_API_KEY", "only-for-tests")

from config.settings import *  # noqa: F403  the environment comes first

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
MEDIA_ROOT = Path(tempfile.mkdtemp(prefix="furrow-test-files-"))
STATIC_ROOT = MEDIA_ROOT / "static"
STATIC_ROOT.mkdir()
CELERY_TASK_ALWAYS_EAGER = False
WHITENOISE_USE_FINDERS = True
