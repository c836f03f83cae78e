"""What a process needs that is started to work on the tests' database and files."""

from __future__ import annotations

import json
import os

from django.conf import settings
from django.db import connections


def environment(**imgrec: object) -> dict[str, str]:
    """Return its variables; keyword arguments are laid over ``settings.IMGREC``."""
    to = connections["default"].settings_dict
    url = f"postgresql://{to['USER']}:{to['PASSWORD']}@{to['HOST']}:{to['PORT']}/{to['NAME']}"
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "IMGREC_TEST_DATABASE_URL": url,
        "IMGREC_TEST_REDIS_URL": settings.CELERY_BROKER_URL,
        "IMGREC_TEST_MEDIA": settings.MEDIA_ROOT,
        "IMGREC_TEST_IMGREC": json.dumps({**settings.IMGREC, **imgrec}),
    }
