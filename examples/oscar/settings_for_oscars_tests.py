"""The settings of oscar's own tests, with imgrec and the shop's app for it beside oscar's apps."""

import os

from tests.settings import *  # noqa: F403 - the tests of oscar, from its repository

DATABASES["default"]["OPTIONS"] = {}  # noqa: F405
if os.environ.get("WITH_IMGREC") == "1":
    INSTALLED_APPS += ["django.contrib.postgres", "imgrec", "lookalikes"]  # noqa: F405
