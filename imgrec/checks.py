"""``imgrec.E0nn`` and ``W0nn``: what is set up wrong, and the way out of each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.core.exceptions import EmptyResultSet, FieldDoesNotExist, FieldError, FullResultSet
from django.db import connections, router
from django.db.migrations.loader import MigrationLoader
from django.db.models import FileField, Q

from imgrec import extension, floors, index_facts, spaces
from imgrec.conf import settings
from imgrec.earning.checks import check_counting
from imgrec.models import EmbeddingJob
from imgrec.setting_checks import check_paths, check_settings
from imgrec.shell_checks import check_shell
from imgrec.spaces import SpaceDefinition, all_spaces


def register_all() -> None:
    """Register every check; called once from ``ready()``."""
    register(check_settings, "imgrec")
    register(check_paths, "imgrec")
    register(check_spaces, Tags.models)
    register(check_dimensions, Tags.models)
    register(check_databases, "imgrec")
    register(check_shell, "imgrec")
    register(check_floors, "imgrec")
    register(check_counting, Tags.urls)
    register(check_extension, Tags.database)
    register(check_indexes, Tags.database)


def check_spaces(**kwargs: Any) -> list[CheckMessage]:
    """E004 to E007: what each field names."""
    found: list[CheckMessage] = [
        Error(
            f"{label}: item={item!r} is no foreign key to a product's primary key.",
            hint="Name the ForeignKey (or OneToOneField) from the photo to its product.",
            id="imgrec.E005",
        )
        for label, item in spaces.complaints().items()
    ]
    for space in all_spaces():
        found += [*_check_source(space), *_check_rules(space)]
    return found


def _check_source(space: SpaceDefinition) -> Iterator[CheckMessage]:
    names = [f.name for f in space.model._meta.get_fields() if isinstance(f, FileField)]
    if space.source not in names:
        yield Error(
            f"{space.label}: source={space.source!r} is no ImageField of "
            f"{space.model._meta.label}.",
            hint=f"Its image and file fields: {', '.join(names) or 'none'}.",
            obj=space.model,
            id="imgrec.E004",
        )


def _check_rules(space: SpaceDefinition) -> Iterator[CheckMessage]:
    for name, rule in (("visible", space.visible), ("recommend", space.recommend)):
        if rule is None:
            continue
        try:
            if not isinstance(rule, Q):
                raise TypeError(f"{rule!r} is not a Q object")
            str(space.item_model._base_manager.filter(rule).query)
        except (EmptyResultSet, FullResultSet):
            continue  # a rule that lets nothing through, or everything, is one all the same
        except (FieldError, FieldDoesNotExist, TypeError, ValueError) as error:
            yield Error(
                f"{space.label}: {name}= does not fit {space.item_model._meta.label}: {error}",
                hint=f"Write it from the product's model, as in {name}=Q(published=True).",
                obj=space.model,
                id="imgrec.E006",
            )


def check_dimensions(**kwargs: Any) -> list[CheckMessage]:
    """E007: a field's vectors cannot change their length once migrated."""
    if not all_spaces():
        return []
    try:
        state = MigrationLoader(None).project_state()
    except Exception:  # noqa: BLE001 - a migration is anybody's code; Django's commands tell of it
        return []
    found: list[CheckMessage] = []
    for space in all_spaces():
        meta = space.embedding_model._meta
        migrated = state.models.get((meta.app_label, meta.model_name))
        before = getattr(migrated.fields.get("vector"), "dimensions", None) if migrated else None
        if before not in (None, space.embedder.dimensions):
            found.append(_dimensions_changed(space, before))
    return found


def _dimensions_changed(space: SpaceDefinition, before: int) -> Error:
    return Error(
        f"{space.label}: the encoder {space.embedder.name} gives {space.embedder.dimensions} "
        f"dimensions, but the migrated table has {before}.",
        hint=(
            "Leave this field as it is and declare a second one beside it with the new "
            "embedder=; fill it, compare, switch the served space in the admin, then remove "
            "the old field."
        ),
        obj=space.model,
        id="imgrec.E007",
    )


def check_databases(**kwargs: Any) -> list[CheckMessage]:
    """E008, E009: one PostgreSQL database for jobs, vectors and products."""
    found: list[CheckMessage] = []
    if not all_spaces():
        return found
    jobs = router.db_for_write(EmbeddingJob)
    if connections[jobs].vendor != "postgresql":
        hint = "Use django.db.backends.postgresql; for tests on SQLite see the docs."
        text = f"imgrec needs PostgreSQL with pgvector; {jobs!r} is {connections[jobs].vendor}."
        found.append(Error(text, hint=hint, id="imgrec.E008"))
    for space in all_spaces():
        used = {
            space.using,
            router.db_for_write(space.model),
            router.db_for_write(space.item_model),
        }
        if used != {jobs}:
            hint = "Route the app that owns the field and imgrec to one database."
            text = f"{space.label} is spread over databases: {', '.join(sorted(used | {jobs}))}."
            found.append(Error(text, hint=hint, id="imgrec.E009"))
    return found


def check_floors(**kwargs: Any) -> list[CheckMessage]:
    """W004: packages older than imgrec may be installed with, whoever brought them in."""
    return [
        Warning(
            f"{each.package} {each.installed} is older than {each.floor}, which imgrec needs.",
            hint=f'Run "pip install --upgrade {each.package}"; older ones have known holes.',
            id="imgrec.W004",
        )
        for each in floors.floors()
        if each.is_too_old
    ]


def check_extension(*, databases: Sequence[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """E010, W002: the extension, for ``check --database``."""
    used = {space.using for space in all_spaces()} & set(databases or ())
    return [message for using in sorted(used) for message in _check_extension(using)]


def check_indexes(*, databases: Sequence[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """W003: the index of a space too large to go without, for ``check --database``."""
    here = [
        space
        for space in all_spaces()
        if space.using in (databases or ()) and connections[space.using].vendor == "postgresql"
    ]
    return [message for space in here for message in _check_index(space)]


def _check_index(space: SpaceDefinition) -> Iterator[CheckMessage]:
    """Tell where exact search is all there is: right for a small shop, slow for a large one."""
    try:
        facts = index_facts.examine(space)
    except LookupError:
        return  # not migrated yet, which Django itself tells
    if facts.state != "valid" and facts.rows > settings.exact_below and not facts.building:
        yield Warning(
            f"{space.label}: the HNSW index is {facts.state}, so every live search compares all "
            f"{facts.rows} vectors.",
            hint='Run "manage.py imgrec_maintain --fix". During a first load workers do.',
            obj=space.model,
            id="imgrec.W003",
        )


def _check_extension(using: str) -> Iterable[CheckMessage]:
    if connections[using].vendor != "postgresql":
        return
    version = extension.installed_version(using)
    if not version:
        with connections[using].cursor() as cursor:
            cursor.execute(
                "SELECT has_database_privilege(current_database(), 'CREATE') AND EXISTS ("
                "SELECT FROM pg_available_extension_versions WHERE name = 'vector' "
                "AND (trusted OR (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)))"
            )
            may_create = cursor.fetchone()[0]
        if not may_create:
            text = f"The database {using!r} lacks the extension pgvector."
            yield Error(text, hint=extension.what_to_run(using), id="imgrec.E010")
    elif extension.is_too_old(version):
        floor = ".".join(map(str, extension.FLOOR))
        yield Warning(
            f"pgvector {version} in {using!r} is older than {floor}, which fixes wrong results.",
            hint='Upgrade the server\'s package, then run "ALTER EXTENSION vector UPDATE;".',
            id="imgrec.W002",
        )
