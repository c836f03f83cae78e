"""Settings of the demo shop. Everything that differs between machines comes from the environment:

DATABASE_URL           postgresql://user:password@host:5432/name (``manage.py demo`` sets it)
REDIS_URL              redis://host:6379/0, Celery's broker and imgrec's photo queries
DEMO_DATA              folder for photos, the secret key and the embedded servers; default ./.demo
DEBUG                  0 or 1, default 0
SECRET_KEY             default: a random one, made once and kept in DEMO_DATA
ALLOWED_HOSTS          comma-separated, default localhost,127.0.0.1,[::1]
CSRF_TRUSTED_ORIGINS   comma-separated, for a shop behind a proxy that ends TLS
HTTPS                  1 when the shop is served over TLS: secure cookies and HSTS
DEMO_CHECK             1 only under ``manage.py demo --check``: pages that look inside the process
"""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

from demo_shop import environment

if find_spec("whitenoise") is None:
    raise ImproperlyConfigured("The demo shop is not installed: pip install 'imgrec[demo]'")

BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = Path(os.environ.get("DEMO_DATA") or BASE_DIR / ".demo").resolve()

DEBUG = environment.flag("DEBUG")
SECRET_KEY = environment.secret_key(DATA_DIR)
ALLOWED_HOSTS = environment.words("ALLOWED_HOSTS", default="localhost,127.0.0.1,[::1]")
CSRF_TRUSTED_ORIGINS = environment.words("CSRF_TRUSTED_ORIGINS")
DEMO_CHECK = environment.flag("DEMO_CHECK")

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "imgrec",
    "demo_shop",
    "demo_shop.catalogue",
]
if find_spec("rest_framework"):  # the extra "api"; the shop itself does without
    INSTALLED_APPS.append("rest_framework")
if find_spec("drf_spectacular"):  # tells programs what the API takes and gives, at /api/schema/
    INSTALLED_APPS.append("drf_spectacular")

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "demo_shop.catalogue.security.ContentSecurityPolicy",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "demo_shop.urls"
WSGI_APPLICATION = "demo_shop.wsgi.application"
ASGI_APPLICATION = "demo_shop.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "demo_shop.catalogue.navigation.categories",
            ]
        },
    }
]

DATABASES = {
    "default": environment.database(
        os.environ.get("DATABASE_URL") or "postgresql://postgres@localhost:5432/demo_shop"
    )
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("MinimumLengthValidator", "CommonPasswordValidator", "NumericPasswordValidator")
]

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_I18N = True
USE_TZ = True

STATIC_URL = "static/"
STATIC_ROOT = DATA_DIR / "static"
STATIC_ROOT.mkdir(parents=True, exist_ok=True)  # whitenoise warns about one that is not there
# Static files come straight from the apps, so that no collectstatic is needed before the first
# page; a folder filled by collectstatic is used too when it is there.
WHITENOISE_USE_FINDERS = True
MEDIA_URL = "media/"
MEDIA_ROOT = DATA_DIR / "media"

REDIS_URL = os.environ.get("REDIS_URL") or "redis://localhost:6379/0"
CELERY_BROKER_URL = REDIS_URL
CELERY_TASK_IGNORE_RESULT = True
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True

# Answers for programs only; the browsable pages would need scripts our policy does not allow.
REST_FRAMEWORK: dict[str, object] = {
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"]
}
if find_spec("drf_spectacular"):
    REST_FRAMEWORK["DEFAULT_SCHEMA_CLASS"] = "drf_spectacular.openapi.AutoSchema"
SPECTACULAR_SETTINGS = {
    "TITLE": "imgrec demo shop",
    "DESCRIPTION": "Visually similar products.",
    "VERSION": "1",  # the API's, as imgrec.rest_framework.codes has it
    "SERVE_INCLUDE_SCHEMA": False,
}

SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_HTTPONLY = True
if environment.flag("HTTPS"):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_SSL_REDIRECT = True
    SECURE_HSTS_SECONDS = 31_536_000
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True

# Django's default says nothing on the console with DEBUG off; gunicorn's log shall show errors.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {"django": {"handlers": ["console"], "level": "WARNING", "propagate": False}},
}

IMGREC: dict[str, object] = {
    "category": {"shop.Product": "category"},
    "price": {"shop.Product": "price"},
}
