"""Runs the tests of oscar's catalogue with imgrec installed, against a real PostgreSQL.

    python examples/oscar/oscars_tests.py path/to/django-oscar

Neither oscar's wheel nor its sdist holds its tests: they are in its repository, in the folder
``tests`` of https://github.com/django-oscar/django-oscar at the tag of the release installed.
They need oscar's extra ``test`` beside ``requirements.txt``. ``--without-imgrec`` runs the same
tests without it: what fails then has nothing to do with imgrec.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from argparse import ArgumentParser
from pathlib import Path
from urllib.parse import urlsplit

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
# Everything oscar tests of its catalogue, its dashboard's part for it, and its migrations.
CATALOGUE = [
    "tests/unit/catalogue",
    "tests/integration/catalogue",
    "tests/functional/catalogue",
    "tests/integration/test_migrations.py",
]


def main() -> int:
    """Start a PostgreSQL, run pytest on oscar's tests, return its exit status."""
    parser = ArgumentParser(description="The tests of oscar's catalogue, with imgrec installed.")
    parser.add_argument("source", type=Path, help="a checkout of django-oscar, or its tests/")
    parser.add_argument("--without-imgrec", action="store_true")
    options, pytest_arguments = parser.parse_known_args()
    source = options.source.resolve()
    source = source.parent if source.name == "tests" else source
    if not (source / "tests" / "settings.py").is_file():
        raise SystemExit(f"{source} holds no tests of oscar's. {__doc__}")
    sys.path.append(str(ROOT))
    from demo_shop.services import Postgres

    with tempfile.TemporaryDirectory() as folder, Postgres(folder, durable=False) as postgres:
        environment = _variables(postgres.url, source, imgrec=not options.without_imgrec)
        command = [sys.executable, "-m", "pytest", "-p", "no:randomly", "-q", *CATALOGUE]
        return subprocess.run([*command, *pytest_arguments], cwd=source, env=environment).returncode


def _variables(url: str, source: Path, *, imgrec: bool) -> dict[str, str]:
    server = urlsplit(url)
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "settings_for_oscars_tests",
        "PYTHONPATH": os.pathsep.join(map(str, [source, HERE, ROOT])),  # their "tests" before ours
        "WITH_IMGREC": str(int(imgrec)),
        "DATABASE_NAME": server.path.lstrip("/"),
        "DATABASE_USER": server.username or "",
        "DATABASE_PASSWORD": server.password or "",
        "DATABASE_HOST": server.hostname or "",
        "DATABASE_PORT": str(server.port),
    }


if __name__ == "__main__":
    sys.exit(main())
