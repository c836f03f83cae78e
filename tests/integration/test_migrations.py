"""Models and migrations agree, in imgrec and in every shop here."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.management import call_command

from imgrec.spaces import space_by_label
from tests.worker import ROOT


@pytest.mark.django_db
@pytest.mark.parametrize("app", ["imgrec", "testapp", "otherapp"])
def test_no_migration_is_missing(app: str, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("makemigrations", app, check_changes=True, dry_run=True)
    assert capsys.readouterr().out.strip() == f"No changes detected in app '{app}'"


def test_no_migration_is_missing_in_the_demo(
    environment: Callable[..., dict[str, str]], tmp_path: Path
) -> None:
    theirs = environment()
    done = subprocess.run(
        [sys.executable, "manage.py", "makemigrations", "--check", "--dry-run"],
        cwd=ROOT,
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "demo_shop.settings",
            "DATABASE_URL": theirs["IMGREC_TEST_DATABASE_URL"],
            "DEMO_DATA": str(tmp_path),
        },
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("label", "kind"),
    [
        ("testapp.product.embedding", "BigIntegerField"),
        ("testapp.uuidproduct.embedding", "UUIDField"),
        ("testapp.itemphoto.embedding", "BigIntegerField"),
        ("otherapp.product.embedding", "BigIntegerField"),
    ],
)
def test_lists_hold_keys_of_the_items_own_type(label: str, kind: str) -> None:
    space = space_by_label(label)
    assert space is not None
    keys = space.list_model._meta.get_field("neighbours").base_field
    assert keys.get_internal_type() == kind


@pytest.mark.parametrize("app", ["testapp", "otherapp"])
def test_a_shops_migrations_name_only_django_and_pgvector(app: str) -> None:
    files = list((ROOT / "tests" / app / "migrations").glob("0*.py"))
    assert files, f"{app} has no migrations"
    for file in files:
        lines = file.read_text().splitlines()
        modules = {
            line.split()[1].partition(".")[0] for line in lines if line[:5] in ("impor", "from ")
        }
        assert modules <= {"django", "pgvector", "uuid"}
