"""All settings of Furrow, read through `config.env`. `deploy/env.example` lists every variable."""

from pathlib import Path
from urllib.parse import urlsplit

from config.env import (
    BASE_DIR,
    VAR_DIR,
    SettingError,
    env_bool,
    env_choice,
    env_int,
    env_list,
    env_secret,
    env_str,
    env_str_or_file,
)
from furrow.core.addresses import database

FURROW_ENV = env_choice("FURROW_ENV", ("local", "production", "test"), "local")
IS_PRODUCTION = FURROW_ENV == "production"
DEBUG = env_bool("DEBUG", False)
if DEBUG and IS_PRODUCTION:
    raise SettingError("DEBUG must be off in production")

SECRET_KEY = env_secret("SECRET_KEY", required=IS_PRODUCTION)
WEB_HOST = env_str("WEB_HOST", "127.0.0.1")
WEB_PORT = env_int("WEB_PORT", 8000, minimum=1)
PUBLIC_URL = env_str("PUBLIC_URL", "http://localhost:8000").rstrip("/")
ALLOWED_HOSTS = env_list("ALLOWED_HOSTS", urlsplit(PUBLIC_URL).hostname or "localhost")
if "*" in ALLOWED_HOSTS:
    raise SettingError("ALLOWED_HOSTS names exact hosts, never *")
if not IS_PRODUCTION:
    ALLOWED_HOSTS += ["127.0.0.1", "localhost", "testserver"]
TRUSTED_PROXY_COUNT = env_int("TRUSTED_PROXY_COUNT", 0, minimum=0)

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.contrib.postgres",
    "django_htmx",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "furrow.core",
    "furrow.tenants",
    "furrow.accounts",
    "furrow.metering",
    "furrow.gateway",
    "furrow.knowledge",
    "furrow.assistants",
    "furrow.conversations",
    "furrow.channels",
    "furrow.api",
    "furrow.dashboard",
    "furrow.ops",
    "apps.support",
    "apps.contracts",
]

MIDDLEWARE = [
    "furrow.core.web.RequestIdMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "furrow.core.web.SecurityHeadersMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "furrow.dashboard.payer.MemberPaysMiddleware",
    "furrow.tenants.web.TenantMiddleware",
    "furrow.core.web.PageErrorMiddleware",
]

ROOT_URLCONF = "config.urls"
ASGI_APPLICATION = "config.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "django.template.context_processors.i18n",
                "furrow.dashboard.context.page_context",
            ],
        },
    }
]

EMBEDDED_DATABASE_DIR = VAR_DIR / "postgres"
_embedded = f"postgresql://{{role}}@/furrow?host={EMBEDDED_DATABASE_DIR}"
DATABASE_URL = env_str_or_file("DATABASE_URL", _embedded.format(role="furrow_app"))
DATABASE_OWNER_URL = env_str_or_file("DATABASE_OWNER_URL", _embedded.format(role="postgres"))
if IS_PRODUCTION and not env_str_or_file("DATABASE_URL"):
    raise SettingError("DATABASE_URL must be set in production")
# Of each web process, for asynchronous calls: each keeps a connection, beside those that the pool lends.
DATABASE_THREADS = env_int("DATABASE_THREADS", 6, minimum=1)
_pool_size = env_int("DATABASE_POOL_SIZE", 0, minimum=0)
# `default` is the app role behind row-level security; `owner` migrates and builds indexes, nothing else.
DATABASES = {
    "default": database(DATABASE_URL, pool_size=_pool_size and _pool_size + DATABASE_THREADS),
    "owner": database(DATABASE_OWNER_URL, is_owner=True),
}
DATABASE_APP_ROLE = str(DATABASES["default"]["USER"]) or "furrow_app"
DATABASE_ROUTERS: list[str] = []
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = env_str_or_file("REDIS_URL", f"unix://{VAR_DIR / 'redis.sock'}")
CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}
}

CELERY_BROKER_URL = REDIS_URL.replace("unix://", "redis+socket://", 1)
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SERIALIZER = CELERY_RESULT_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_ACKS_LATE = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_DEFAULT_QUEUE = "chat"
# How many jobs of one tenant may run at a time, by lane. Fewer than the workers have slots.
JOBS_PER_TENANT = {
    "ingest": env_int("INGEST_JOBS_PER_TENANT", 2, minimum=1),
    "chat": env_int("CHAT_JOBS_PER_TENANT", 18, minimum=1),
    "notify": 1,
}
CELERY_BEAT_SCHEDULE = {
    "sweep-jobs": {"task": "furrow.core.tasks.jobs_sweep_task", "schedule": 10.0},
    "stale-vectors": {"task": "furrow.knowledge.tasks.stale_bases_task", "schedule": 600.0},
    "receipts": {"task": "furrow.metering.tasks.receipts_task", "schedule": 5.0},
    "rollups": {"task": "furrow.metering.tasks.rollups_task", "schedule": 10.0},
    "reconcile": {"task": "furrow.metering.tasks.reconcile_task", "schedule": 300.0},
    "reconcile-all": {
        "task": "furrow.metering.tasks.reconcile_task",
        "schedule": 24 * 3600.0,
        "kwargs": {"is_full": True},
    },
    "invoices": {"task": "furrow.metering.tasks.invoices_task", "schedule": 3600.0},
    "talk-hours": {"task": "furrow.conversations.tasks.hours_task", "schedule": 10.0},
    "talk-hours-check": {
        "task": "furrow.conversations.tasks.hours_check_task",
        "schedule": 24 * 3600.0,
    },
    "news": {"task": "furrow.channels.tasks.news_task", "schedule": 10.0},
    "replies": {"task": "furrow.channels.tasks.replies_task", "schedule": 2.0},
    "channels-poll": {"task": "furrow.channels.tasks.poll_task", "schedule": 30.0},
    "nightly": {"task": "furrow.assistants.tasks.nightly_task", "schedule": 1800.0},
    "upkeep": {"task": "furrow.ops.tasks.upkeep_task", "schedule": 24 * 3600.0},
}

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 10},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "/accounts/login/"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_REAUTHENTICATION_TIMEOUT = 300
ACCOUNT_ADAPTER = "furrow.accounts.adapter.AccountAdapter"
ACCOUNT_ALLOW_SIGNUP = env_bool("SIGNUP_ENABLED", False)
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes", "webauthn"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not IS_PRODUCTION

SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PUBLIC_URL.startswith("https://")
SESSION_COOKIE_AGE = 14 * 24 * 3600
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]
CSRF_FAILURE_VIEW = "furrow.core.web.csrf_failure"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_HSTS_SECONDS = 31536000 if SESSION_COOKIE_SECURE else 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUSTED_PROXY_COUNT else None
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
FILE_UPLOAD_TEMP_DIR = None
API_CALLS_PER_MINUTE = env_int("API_CALLS_PER_MINUTE", 6000, minimum=1)
# How many calls of /v1 one web process holds at a time; more are asked to come back.
API_STREAMS_MAX = env_int("API_STREAMS_MAX", 500, minimum=1)
UPLOAD_MAX_BYTES = env_int("UPLOAD_MAX_MB", 50, minimum=1) * 1024 * 1024

EMAIL_BACKEND = env_str("EMAIL_BACKEND", "django.core.mail.backends.filebased.EmailBackend")
EMAIL_FILE_PATH = VAR_DIR / "mail"
EMAIL_HOST = env_str("EMAIL_HOST", "localhost")
EMAIL_PORT = env_int("EMAIL_PORT", 25, minimum=1)
EMAIL_HOST_USER = env_str("EMAIL_HOST_USER")
EMAIL_HOST_PASSWORD = env_secret("EMAIL_HOST_PASSWORD", required=False) if EMAIL_HOST_USER else ""
EMAIL_USE_TLS = env_bool("EMAIL_USE_TLS", False)
DEFAULT_FROM_EMAIL = env_str("DEFAULT_FROM_EMAIL", "Furrow <furrow@localhost>")

LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", "简体中文"), ("en", "English")]
LOCALE_PATHS = [BASE_DIR / "platform" / "locale"]
TIME_ZONE = env_str("TIME_ZONE", "Asia/Shanghai")
USE_TZ = True

STATIC_URL = "/static/"
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
# Collected at every start, so that files edited or upgraded under a running server cannot be served by half.
WHITENOISE_USE_FINDERS = False
WHITENOISE_AUTOREFRESH = DEBUG
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if IS_PRODUCTION
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
MEDIA_ROOT = Path(env_str("FILES_DIR", str(VAR_DIR / "files")))

# Where WeChat's servers are; another address for a proxy of yours.
WECHAT_API_URL = env_str("WECHAT_API_URL", "https://qyapi.weixin.qq.com")

# The model server: embeddings for every tenant come from here.
EMBEDDINGS_URL = env_str("EMBEDDINGS_URL", "http://127.0.0.1:8001/v1")
EMBEDDINGS_MODEL = env_str("EMBEDDINGS_MODEL", "all-MiniLM-L6-v2")
EMBEDDINGS_API_KEY = env_secret("EMBEDDINGS_API_KEY", required=False)
# Languages in which the model's vectors can be trusted; a query in another one leans on the lexical index.
EMBEDDINGS_LANGUAGES = env_list("EMBEDDINGS_LANGUAGES", "en")
# A reranking model gives the best passages a second look; without RERANK_MODEL none is asked.
RERANK_MODEL = env_str("RERANK_MODEL")
RERANK_URL = env_str("RERANK_URL", EMBEDDINGS_URL)
VECTOR_EXACT_LIMIT = env_int("VECTOR_EXACT_LIMIT", 50_000, minimum=0)
# What PostgreSQL may take to build one index. A graph that does not fit is built several times slower.
VECTOR_BUILD_MB = env_int("VECTOR_BUILD_MB", 256, minimum=64)
# The chat model. Without CHAT_URL and CHAT_MODEL nothing generates text.
FURROW_MODEL = env_str("FURROW_MODEL")
FURROW_DEVICE = env_choice("FURROW_DEVICE", ("cpu", "cuda"), "cpu")
CHAT_URL = env_str("CHAT_URL")
CHAT_MODEL = env_str("CHAT_MODEL")
CHAT_DIALECT = env_choice(
    "CHAT_DIALECT", ("own", "vllm", "sglang", "llamacpp", "openai", "deepseek"), "own"
)
# One server for both uses has one key; any other server must never see the embeddings' key.
_is_one_server = urlsplit(CHAT_URL).netloc == urlsplit(EMBEDDINGS_URL).netloc
CHAT_API_KEY = env_str_or_file("CHAT_API_KEY", EMBEDDINGS_API_KEY if _is_one_server else "")
CHAT_FIRST_TOKEN_TIMEOUT_S = env_int("CHAT_FIRST_TOKEN_TIMEOUT_S", 60, minimum=1)
CHAT_TOTAL_TIMEOUT_S = env_int("CHAT_TOTAL_TIMEOUT_S", 600, minimum=1)
# Who bills: the lines at the head of an invoice, apart by |.
INVOICE_ISSUER = env_str("INVOICE_ISSUER")
# A font with the characters of its businesses; empty: looked for where systems keep Noto CJK and Droid.
INVOICE_FONT = env_str("INVOICE_FONT")
# The longest answer anybody may ask for, and the model's context (0: not known, its server decides).
CHAT_MAX_TOKENS = env_int("CHAT_MAX_TOKENS", 2048, minimum=1)
CHAT_CONTEXT_TOKENS = env_int("CHAT_CONTEXT_TOKENS", 0, minimum=0)
# How long after the longest call a hold that nobody ended is kept.
HOLD_GRACE_S = env_int("HOLD_GRACE_S", 60, minimum=1)
# From which share of prepaid credit or of a business's limit, in percent, its leaders are warned.
LOW_CREDIT_PERCENT = env_int("LOW_CREDIT_PERCENT", 20, minimum=0)
METRICS_TOKEN = env_str_or_file("METRICS_TOKEN")

LOG_LEVEL = env_choice("LOG_LEVEL", ("DEBUG", "INFO", "WARNING", "ERROR"), "INFO")
LOGGING_CONFIG = "furrow.core.logs.configure"
LOGGING = {"level": LOG_LEVEL, "json": env_bool("LOG_JSON", IS_PRODUCTION)}
