"""Every check finds what it is for, says the way out, and is silent otherwise."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError
from django.db import connection, connections
from django.db.migrations.exceptions import NodeNotFoundError
from django.db.models import Q

from imgrec import celery_post, checks, conf, extension, spaces
from imgrec.conf import Settings
from imgrec.embedders import resolve
from imgrec.shell_checks import check_shell
from imgrec.spaces import SpaceDefinition, all_spaces
from imgrec.testing import ColourGrid


def ids(messages: Any) -> list[str]:
    return [message.id for message in messages]


def test_a_sound_project_has_nothing_to_report(db: None) -> None:
    assert [m for m in run_checks(databases=["default"]) if str(m.id).startswith("imgrec")] == []


@pytest.mark.parametrize(
    ("value", "id", "says"),
    [
        ([], "imgrec.E001", "IMGREC = {"),
        ({"batchsize": 8}, "imgrec.E002", "Did you mean 'batch_size'?"),
        ({"colour": 8}, "imgrec.E002", "Known: embedder"),
        ({"batch_size": "8"}, "imgrec.E003", "type int"),
        ({"batch_size": True}, "imgrec.E003", "type int"),
        ({"photo_search": 1}, "imgrec.E003", "type bool"),
        ({"queue": ""}, "imgrec.E003", "'imgrec'"),
        ({"weights": "x"}, "imgrec.E003", '"path"'),
        ({"weights": {"resnet18": "/srv/resnet18.pth"}}, "imgrec.E003", '"path"'),
        ({"category": {"shop.Product": 1}}, "imgrec.E003", '"shop.Product": "category"'),
        ({"weights": {"resnet18": {"sha256": "00"}}}, "imgrec.E003", '"path"'),
        ({"max_pixels": -1}, "imgrec.E003", "Give 0 or more"),
        ({"batch_size": 0}, "imgrec.E003", "Give 1 or more"),
        ({"lease_seconds": 0}, "imgrec.E003", "Give 1 or more"),
        ({"max_attempts": 0}, "imgrec.E003", "Give 1 or more"),
        ({"torch_threads": 0}, "imgrec.E003", "Give 1 or more"),
        ({"exact_below": 0}, "imgrec.E003", "Give 1 or more"),
        ({"stored_neighbours": 0}, "imgrec.E003", "Give 1 or more"),
        ({"ef_search": 0}, "imgrec.E003", "Give 1 to 1000"),
        ({"ef_search": 1001}, "imgrec.E003", "Give 1 to 1000"),
        ({"min_similarity": 1.5}, "imgrec.E003", "Give 0 to 1"),
        ({"min_similarity": float("nan")}, "imgrec.E003", "Give 0 to 1"),
        ({"broker_timeout_seconds": 0}, "imgrec.E003", "more than 0"),
        ({"photo_wait_seconds": 0.0}, "imgrec.E003", "more than 0"),
        ({"refill_below": 97}, "imgrec.E003", "'refill_below': 64"),
        ({"stored_neighbours": 30}, "imgrec.E003", "'refill_below': 20"),
    ],
)
def test_settings(settings: Any, value: Any, id: str, says: str) -> None:
    settings.IMGREC = value
    (message,) = checks.check_settings()
    assert message.id == id
    assert says in str(message.hint)


@pytest.mark.parametrize(
    "value",
    [
        {"weights": {"resnet18": {"path": "/srv/resnet18.pth"}}},
        {"weights": {"resnet18": {"path": Path("/srv/resnet18.pth"), "sha256": "00"}}},
        {"stored_neighbours": 30, "refill_below": 30},
        {"tick_seconds": 0, "sweep_seconds": 0},
        {"min_similarity": 1, "ef_search": 1000},
    ],
)
def test_settings_that_are_fine(settings: Any, value: Any) -> None:
    settings.IMGREC = value
    assert checks.check_settings() == []


@pytest.mark.parametrize(
    ("value", "says", "hint"),
    [
        ({"category": {"testapp.Nothing": "x"}}, "no model of products", "testapp.Product"),
        ({"price": {"testapp.product": "cost"}}, "'cost' is no column", "Name a column"),
        ({"category": {"testapp.Product": "parent__tags"}}, "'tags' is no column", "Name a"),
    ],
)
def test_paths_that_lead_nowhere(settings: Any, value: Any, says: str, hint: str) -> None:
    settings.IMGREC = {**settings.IMGREC, **value}
    (message,) = run_checks(tags=["imgrec"])
    assert message.id == "imgrec.E012"
    assert says in message.msg
    assert hint in (message.hint or "")


def test_paths_that_are_fine(settings: Any) -> None:
    paths = {"testapp.Product": "parent__title", "testapp.Item": "title"}
    settings.IMGREC = {**settings.IMGREC, "category": paths, "price": {"testapp.Product": "price"}}
    assert run_checks(tags=["imgrec"]) == []


@pytest.mark.parametrize("value", [{"weights": "x"}, {"batch_size": "8"}, {"embedder": 5}])
def test_a_wrong_type_lets_the_project_load_far_enough_to_be_told(
    settings: Any, value: Any
) -> None:
    settings.IMGREC = value
    assert resolve(None).version
    assert conf.settings.batch_size == Settings.batch_size
    assert ids(checks.check_settings()) == ["imgrec.E003"]


@pytest.mark.parametrize("path", ["", "nowhere.Encoder", "imgrec.conf.settings", "django.VERSION"])
def test_an_encoder_that_cannot_be_made_is_named_with_its_setting(settings: Any, path: str) -> None:
    settings.IMGREC = {"embedder": path}
    with pytest.raises(ImproperlyConfigured, match=r'IMGREC\["embedder"\].*imgrec\.embedders'):
        resolve(None)


def test_whole_numbers_are_fine_where_fractions_are(settings: Any) -> None:
    settings.IMGREC = {"photo_wait_seconds": 5}
    assert checks.check_settings() == []


@pytest.fixture
def only(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A function that leaves one space declared, changed as told."""

    def change(**values: Any) -> SpaceDefinition:
        first = all_spaces()[0]
        changed = replace(first, **values)
        monkeypatch.setattr(spaces, "_spaces", {changed.label: changed})
        return changed

    return change


def test_a_source_that_is_no_image(only: Any) -> None:
    only(source="title")
    (message,) = checks.check_spaces()
    assert message.id == "imgrec.E004"
    assert "photo" in str(message.hint)


def test_an_item_that_is_no_foreign_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spaces, "_complaints", {"shop.photo.embedding": "owner"})
    assert ids(checks.check_spaces()) == ["imgrec.E005"]


@pytest.mark.parametrize("rule", [Q(nonsense=1), Q(published__nonsense=1), "published"])
def test_a_rule_that_does_not_fit(only: Any, rule: Any) -> None:
    only(visible=rule)
    (message,) = checks.check_spaces()
    assert message.id == "imgrec.E006"
    assert "visible=Q(published=True)" in str(message.hint)


@pytest.mark.parametrize("rule", [Q(pk__in=[]), ~Q(pk__in=[])])
def test_a_rule_that_lets_nothing_or_everything_through_is_fine(only: Any, rule: Any) -> None:
    only(visible=rule, recommend=rule)
    assert checks.check_spaces() == []


def test_other_dimensions_than_the_table_has(only: Any) -> None:
    only(embedder=ColourGrid(cells=7))
    (message,) = checks.check_dimensions()
    assert message.id == "imgrec.E007"
    assert "declare a second one" in str(message.hint)


@pytest.mark.parametrize("error", [NodeNotFoundError("lost", ("shop", "0002")), SyntaxError()])
def test_migrations_that_cannot_be_read_are_for_django_to_tell(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def broken(connection: None) -> None:
        raise error

    monkeypatch.setattr(checks, "MigrationLoader", broken)
    assert checks.check_dimensions() == []


def test_a_database_that_is_not_postgresql(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections["default"], "vendor", "sqlite")
    assert ids(checks.check_databases()) == ["imgrec.E008"]


def test_two_databases(monkeypatch: pytest.MonkeyPatch, only: Any) -> None:
    space = only()
    monkeypatch.setattr(
        "imgrec.checks.router.db_for_write",
        lambda model: "archive" if model is space.model else "default",
    )
    (message,) = checks.check_databases()
    assert message.id == "imgrec.E009"
    assert "archive, default" in message.msg


@pytest.fixture
def ordinary_owner(transactional_db: None) -> Iterator[None]:
    """Be the owner of a database of one's own, who may not create the extension."""
    before = {key: connection.settings_dict[key] for key in ("NAME", "USER", "PASSWORD")}
    with connection.cursor() as cursor:
        cursor.execute("CREATE ROLE plain LOGIN PASSWORD 'plain'")
        cursor.execute("CREATE DATABASE plain OWNER plain")
    connection.close()
    connection.settings_dict.update(dict.fromkeys(before, "plain"))
    yield
    connection.close()
    connection.settings_dict.update(before)
    with connection.cursor() as cursor:
        cursor.execute("DROP DATABASE plain")
        cursor.execute("DROP ROLE plain")


def test_an_extension_only_an_administrator_can_make(ordinary_owner: None) -> None:
    """The check and migrate say what to run; migrations that do not need it go on."""
    (message,) = checks._check_extension("default")
    assert message.id == "imgrec.E010"
    assert 'psql -d plain -c "CREATE EXTENSION vector;"' in str(message.hint)
    step = type("Step", (), {"app_label": "testapp"})
    with pytest.raises(CommandError, match="CREATE EXTENSION vector"):
        extension.before_migrations(using="default", plan=[(step, False)])
    extension.before_migrations(using="default", plan=[(step, True)])


def test_a_database_without_vectors_needs_no_extension(
    ordinary_owner: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def elsewhere(using: str, model: Any) -> bool:
        asked.append((using, model))
        return False

    monkeypatch.setattr(extension.router, "allow_migrate_model", elsewhere)
    step = type("Step", (), {"app_label": "testapp"})
    extension.before_migrations(using="default", plan=[(step, False)])
    assert asked == [("default", space.embedding_model) for space in all_spaces()]
    assert not extension.installed_version("default")


def test_the_extension_is_made_before_the_first_migration(db: None) -> None:
    assert extension.installed_version("default")


def test_an_old_extension(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extension, "installed_version", lambda using: "0.8.1")
    (message,) = checks._check_extension("default")
    assert message.id == "imgrec.W002"
    assert "ALTER EXTENSION vector UPDATE" in str(message.hint)


def test_a_process_without_the_shops_celery_app(monkeypatch: pytest.MonkeyPatch) -> None:
    class NoApp:
        main = "default"
        configured = False

    monkeypatch.setattr(celery_post, "current_app", NoApp())
    (message,) = check_shell()
    assert message.id == "imgrec.W001"
