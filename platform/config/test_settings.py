"""Settings of the test suite: the real ones with test secrets, fast hashing and mail in memory."""

import os
import tempfile

os.environ.setdefault("FURROW_ENV", "test")
os.environ.setdefault("SECRET_KEY", "only-for-tests")
os.environ.setdefault("EMBEDDINGS_API_KEY", "only-for-tests")

from config.settings import *  # noqa: F403  the environment comes first

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
MEDIA_ROOT = tempfile.mkdtemp(prefix="furrow-test-files-")
CELERY_TASK_ALWAYS_EAGER = False
WHITENOISE_USE_FINDERS = True
