"""Django's settings for the tests.

IMGREC_TEST_DATABASE_URL   a PostgreSQL with pgvector to use instead of the embedded one
IMGREC_TEST_REDIS_URL      a Redis to use instead of the embedded one
IMGREC_TEST_MEDIA          folder of uploaded files; the tests make one each
IMGREC_TEST_IMGREC         JSON, laid over IMGREC below: a worker with settings of its own

The tests start processes of their own (workers, commands) and hand them all four.
Without the first two nothing listens at the addresses below: see ``tests/servers.py``.
"""

from __future__ import annotations

import json
import os
from importlib.util import find_spec

from demo_shop import environment
from tests.wagtails_tags import LIBRARIES

DATABASE_URL = os.environ.get("IMGREC_TEST_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/imgrec")
REDIS_URL = os.environ.get("IMGREC_TEST_REDIS_URL", "redis://127.0.0.1:1/0")

SECRET_KEY = "only-for-tests"
ALLOWED_HOSTS = ["*"]

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "imgrec",
    "tests.testapp",
    "tests.otherapp",
    "demo_shop.catalogue",
]

# Django's own tasks, where there is a queue in the database for them.
BEFORE_DJANGO_6 = ["django_tasks", "django_tasks_db"]
if find_spec("django_tasks_db"):
    INSTALLED_APPS += ["django_tasks_db"] if find_spec("django.tasks") else BEFORE_DJANGO_6
    TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend", "QUEUES": ["imgrec"]}}

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]

ROOT_URLCONF = "tests.urls"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "libraries": LIBRARIES,
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    }
]

DATABASES = {"default": {**environment.database(DATABASE_URL), "CONN_MAX_AGE": 0}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
USE_TZ = True

STATIC_URL = "static/"
MEDIA_URL = "media/"
MEDIA_ROOT = os.environ.get("IMGREC_TEST_MEDIA", "")

CELERY_BROKER_URL = REDIS_URL
CELERY_TASK_IGNORE_RESULT = True
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True

IMGREC = {
    "embedder": "imgrec.testing.ColourGrid",
    "tick_seconds": 1,
    **json.loads(os.environ.get("IMGREC_TEST_IMGREC", "{}")),
}
