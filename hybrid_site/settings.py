"""Django settings. Everything a user may change comes from `hybrid_site.env` (CONTRACT.md section 8)."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from hybrid_site import databases, middleware, secret
from hybrid_site.env import LOOPBACK_NAMES, SettingError, env

BASE_DIR = Path(__file__).resolve().parent.parent
VERSION = "0.1.0"

try:
    ENV = env()
    DATA_DIR = (BASE_DIR / ENV.data_dir).resolve()
    SECRET_KEY = ENV.secret_key or secret.from_file(DATA_DIR / "secret_key")
    SECRETS_KEYS = ENV.secrets_keys or (secret.from_file(DATA_DIR / "secrets_key", make=secret.fernet_key),)
except SettingError as error:
    sys.exit(str(error))
except OSError as error:
    sys.exit(f"DATA_DIR={str(ENV.data_dir)!r} is not allowed: DATA_DIR must be a directory that can be written ({error.strerror}).")

IS_LOCAL = ENV.mode == "local"
DEBUG = False
ALLOWED_HOSTS = sorted({*LOOPBACK_NAMES, "[::1]"} if IS_LOCAL else {*LOOPBACK_NAMES, "[::1]", ENV.host, *ENV.allowed_host_names})

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_cotton",
    "django_htmx",
    "django_q",
    "ninja",
    "workflows_app",
]

MIDDLEWARE = middleware.chain(is_local=IS_LOCAL)
CONTENT_SECURITY_POLICY = {"DIRECTIVES": middleware.CONTENT_POLICY}

LOADERS = ["django.template.loaders.filesystem.Loader", "django.template.loaders.app_directories.Loader"]
CACHED_LOADER = "django.template.loaders.cached.Loader"
COTTON_ISOLATE_BY_DEFAULT = False
ROOT_URLCONF = "hybrid_site.urls"
CSRF_FAILURE_VIEW = "workflows_app.dashboard.errors.stale_form"
WSGI_APPLICATION = "hybrid_site.wsgi.application"
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "OPTIONS": {
            "loaders": [(CACHED_LOADER, ["django_cotton.cotton_loader.Loader", *LOADERS])],
            "builtins": ["django_cotton.templatetags.cotton"],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "workflows_app.dashboard.attention.context",
                "workflows_app.dashboard.shell.context",
            ],
        },
    },
]

DATABASES = {"default": databases.configured(ENV, DATA_DIR)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

Q_CLUSTER = {
    "name": "hybrid",
    "orm": "default",
    "broker_class": "workflows_app.engine.broker.StepBroker",
    "workers": ENV.max_parallel_nodes,
    "timeout": 3600,
    "retry": 3700,
    "max_attempts": 1,
    "ack_failures": True,
    "save_limit": -1,
    "scheduler": False,
    "recycle": 100_000_000,
    "queue_limit": 64,
    "catch_up": False,
    "log_level": ENV.log_level,
}

AUTHENTICATION_BACKENDS = ["workflows_app.access.signed_in.StoredUsers"]
SESSION_ENGINE = "workflows_app.access.signed_in"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator", "NumericPasswordValidator")
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "/"

EMAIL_HOST = ENV.email_host
EMAIL_PORT = ENV.email_port
EMAIL_HOST_USER = ENV.email_user
EMAIL_HOST_PASSWORD = ENV.email_password
EMAIL_USE_TLS = ENV.email_tls == "starttls"
EMAIL_USE_SSL = ENV.email_tls == "tls"
DEFAULT_FROM_EMAIL = ENV.email_from

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_I18N = False
USE_TZ = True

STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
WHITENOISE_MANIFEST_STRICT = False  # a page without a file is better than no page
WHITENOISE_KEEP_ONLY_HASHED_FILES = True
WHITENOISE_SKIP_COMPRESS_EXTENSIONS = ("png", "jpg", "woff", "woff2", "gz", "map", "zip")

SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
DATA_UPLOAD_MAX_MEMORY_SIZE = ENV.max_body_bytes

LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name} {message}", "style": "{"}},
    "filters": {
        "refusal": {"()": "hybrid_site.log_lines.RefusalInOneLine"},
        "outage": {"()": "hybrid_site.log_lines.OutageInOneLine"},
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["refusal", "outage"]}},
    "root": {"handlers": ["stderr"], "level": ENV.log_level},
    "loggers": {
        "django-q": {"level": "WARNING"},
        "django.request": {"level": "ERROR"},  # the caller of a 4xx is told why; the log would say only that it was one
        "httpx2": {"level": "WARNING"},
        "httpcore2": {"level": "WARNING"},
    },
}
