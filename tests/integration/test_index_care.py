"""The indexes of a real PostgreSQL: broken, bloated or not ours, they are seen and mended."""

from __future__ import annotations

from collections.abc import Iterator
from io import StringIO
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, connections, transaction
from django.utils.timezone import now
from pytest_django import Settings

from imgrec import checks, doctor, index_building, index_facts
from imgrec.index_building import Building, IndexBusy, IndexRefused
from imgrec.models import Space
from imgrec.spaces import SpaceDefinition, space_by_label
from tests.roles import worker_role
from tests.synthetic import fill
from tests.testapp.models import Product

pytestmark = pytest.mark.django_db(transaction=True)
LABEL = "testapp.product.embedding"


@pytest.fixture
def space() -> Iterator[SpaceDefinition]:
    """The ordinary space; its index is whole again when the test is over."""
    found = space_by_label(LABEL)
    assert found is not None
    yield found
    index_building.mend(found)


def execute(sql: str, *params: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)


def products(space: SpaceDefinition, count: int) -> None:
    made = Product.objects.bulk_create(Product(photo=f"{i}.png") for i in range(count))
    fill(space, made)


def embed_anew(space: SpaceDefinition, seed: int) -> None:
    """Give every product another vector, as a new encoder would."""
    random = np.random.default_rng(seed)
    rows = list(space.embedding_model.objects.all())
    for row in rows:
        row.vector = random.normal(size=space.embedder.dimensions)
    space.embedding_model.objects.bulk_update(rows, ["vector"])


def drop_index(space: SpaceDefinition) -> None:
    execute(f"DROP INDEX {index_facts.index_of(space, 'hnsw').name}")


def fail_to_build(space: SpaceDefinition) -> None:
    """Leave an invalid index behind, as a time-out does."""
    [creation] = index_building.statements(space, index_facts.examine(space))
    execute("SET statement_timeout = 20")
    with pytest.raises(DatabaseError, match="statement timeout"):
        execute(creation)
    execute("SET statement_timeout = 0")


def maintain(*args: str) -> str:
    out = StringIO()
    call_command("imgrec_maintain", LABEL, *args, stdout=out, stderr=out)
    return out.getvalue()


def test_a_fresh_index_has_the_size_that_is_expected(space: SpaceDefinition) -> None:
    drop_index(space)
    products(space, 1200)
    index_building.mend(space)
    facts = index_facts.examine(space)
    assert (facts.state, facts.building, facts.leftovers) == ("valid", False, ())
    assert facts.may_change
    assert facts.rows == 1200
    assert facts.bytes == pytest.approx(facts.expected_bytes, rel=0.05)


def test_an_index_grows_with_every_full_embedding_and_shrinks_when_mended(
    space: SpaceDefinition, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index_facts, "WORTH_BYTES", 0)
    with connection.cursor() as cursor:  # without what other tests have left in the lists' index
        cursor.execute("REINDEX TABLE testapp_productembeddinglist")
    products(space, 600)
    for seed in (1, 2):
        embed_anew(space, seed)
    facts = index_facts.examine(space)
    assert facts.bloat == pytest.approx(3.0, rel=0.1)
    assert facts.is_bloated()
    assert any("times the size" in problem for problem in doctor.examine_space(space)["problems"])
    with pytest.raises(CommandError, match="times the size of a fresh one; --fix"):
        maintain()
    assert maintain("--ratio", "4")
    assert "mended in" in maintain("--fix")
    assert index_facts.examine(space).bloat == pytest.approx(1.0, rel=0.05)
    assert "All well." in maintain()


def test_what_saves_next_to_nothing_is_not_worth_a_rebuild(space: SpaceDefinition) -> None:
    products(space, 300)
    for seed in (1, 2):
        embed_anew(space, seed)
    facts = index_facts.examine(space)
    assert (facts.bloat or 0) > 2
    assert not facts.is_bloated()


def test_an_invalid_index_is_seen_and_rebuilt(space: SpaceDefinition) -> None:
    drop_index(space)
    products(space, 1200)
    fail_to_build(space)
    facts = index_facts.examine(space)
    assert (facts.state, facts.building, facts.bloat) == ("invalid", False, None)
    found = doctor.examine_space(space)
    assert found["index"] == "invalid"
    assert any("invalid" in problem for problem in found["problems"])
    with pytest.raises(CommandError, match="invalid: searches go without it; --fix"):
        maintain()
    maintain("--fix")
    assert index_facts.examine(space).state == "valid"


def test_a_missing_index_is_seen_and_made_as_declared(space: SpaceDefinition) -> None:
    def definition() -> str:
        name = index_facts.index_of(space, "hnsw").name
        with connection.cursor() as cursor:
            cursor.execute("SELECT indexdef FROM pg_indexes WHERE indexname = %s", [name])
            return str(cursor.fetchone()[0])

    before = definition()
    drop_index(space)
    assert any("is missing" in problem for problem in doctor.examine_space(space)["problems"])
    with pytest.raises(CommandError, match="is missing: every live search is exact"):
        maintain()
    maintain("--fix")
    assert definition() == before


def test_check_warns_where_exact_search_is_all_there_is_and_slow(
    space: SpaceDefinition, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    products(space, 30)
    drop_index(space)
    assert checks.check_indexes(databases=["default"]) == []
    settings.IMGREC = {**settings.IMGREC, "exact_below": 20}
    (message,) = checks.check_indexes(databases=["default"])
    assert message.id == "imgrec.W003"
    assert "compares all 30 vectors" in message.msg
    assert checks.check_indexes(databases=[]) == []
    monkeypatch.setattr(space.embedding_model._meta, "db_table", "nowhere")
    assert checks.check_indexes(databases=["default"]) == []
    monkeypatch.undo()


def test_the_lists_index_is_looked_after_too(space: SpaceDefinition) -> None:
    execute(f"DROP INDEX {index_facts.index_of(space, 'gin').name}")
    assert doctor.examine_space(space)["lists_index"] == "missing"
    maintain("--fix")
    assert index_facts.examine(space, "gin").state == "valid"


def test_leftovers_of_a_failed_rebuild_are_removed(space: SpaceDefinition) -> None:
    products(space, 1200)
    name = index_facts.index_of(space, "hnsw").name
    execute("SET statement_timeout = 20")
    with pytest.raises(DatabaseError, match="statement timeout"):
        execute(f"REINDEX INDEX CONCURRENTLY {name}")
    execute("SET statement_timeout = 0")
    facts = index_facts.examine(space)
    assert (facts.state, facts.leftovers) == ("valid", (f"{name}_ccnew",))
    with pytest.raises(CommandError, match=f"left {name}_ccnew behind"):
        maintain()
    maintain("--fix")
    assert index_facts.examine(space).leftovers == ()


def test_a_role_without_the_rights_is_told_what_its_owner_must_run(space: SpaceDefinition) -> None:
    drop_index(space)
    with worker_role():
        facts = index_facts.examine(space)
        assert not facts.may_change
        with pytest.raises(CommandError) as told:
            maintain("--fix")
    message = str(told.value)
    assert f"Have its owner, {facts.owner}, run" in message
    statement = message.splitlines()[-1].strip()
    assert statement.startswith("CREATE INDEX CONCURRENTLY")
    execute(statement)
    assert index_facts.examine(space).state == "valid"


def test_a_statement_timeout_of_the_role_does_not_stop_a_build(space: SpaceDefinition) -> None:
    drop_index(space)
    products(space, 1200)
    execute("ALTER ROLE CURRENT_USER SET statement_timeout = '20ms'")
    try:
        assert index_building.mend(space, memory="64MB")
    finally:
        execute("ALTER ROLE CURRENT_USER RESET statement_timeout")
    assert index_facts.examine(space).state == "valid"


def test_a_pooler_that_refuses_settings_gets_none(space: SpaceDefinition) -> None:
    """What PgBouncer says to settings in the start of a connection, a wrong one says as well."""
    drop_index(space)
    todo = index_building.statements(space, index_facts.examine(space))
    index_building._run(space, todo, "-c nonsense=1", lambda building: None)
    assert index_facts.examine(space).state == "valid"


def test_who_watches_sees_the_table_pass(
    space: SpaceDefinition, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And nobody who reads meanwhile keeps the build waiting."""
    drop_index(space)
    products(space, 3000)
    seen: list[Building] = []
    facts: list[bool] = []
    facts_of_others: list[bool] = []

    def watch(building: Building) -> None:
        seen.append(building)
        facts.append(index_facts.examine(space).building)
        execute("SET ROLE pg_signal_backend")  # as a role that may see nothing of others' work
        facts_of_others.append(index_facts.examine(space, rows=0).building)
        execute("RESET ROLE")

    monkeypatch.setattr(index_building, "LOOK_SECONDS", 0.02)
    index_building.mend(space, watch=watch)
    assert any(facts)
    assert any(facts_of_others)
    assert any(0 < building.done <= building.total for building in seen)


def test_who_watches_may_ask_at_the_very_end() -> None:
    """Between two looks the build ends, and its connection is closed."""
    builder = index_building._Builder("default", ["SELECT 1"], "")
    assert builder.pid == 0
    builder.run()
    assert builder.error is None
    assert builder.raw.closed
    assert builder.pid > 0


def test_an_interrupt_stops_the_build(space: SpaceDefinition) -> None:
    drop_index(space)
    products(space, 3000)

    def interrupt(building: Building) -> None:
        if building.total:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        index_building.mend(space, watch=interrupt)
    assert index_facts.examine(space).state == "invalid"


def test_one_process_at_a_time(space: SpaceDefinition) -> None:
    drop_index(space)
    other: Any = connections["default"].copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("BEGIN")
            lock = "SELECT pg_advisory_xact_lock(hashtext('imgrec.index'), hashtext(%s))"
            cursor.execute(lock, [LABEL])
            with pytest.raises(IndexBusy):
                index_building.mend(space)
            cursor.execute("ROLLBACK")
    finally:
        other.close()
    assert index_building.mend(space)
    assert not index_building.mend(space)


def test_inside_a_transaction_it_refuses_instead_of_waiting_for_ever(
    space: SpaceDefinition,
) -> None:
    with transaction.atomic(), pytest.raises(IndexRefused, match="inside a transaction"):
        index_building.mend(space)


def test_memory_that_does_not_suffice_is_told_beforehand(
    space: SpaceDefinition, monkeypatch: pytest.MonkeyPatch
) -> None:
    drop_index(space)
    products(space, 1200)
    with pytest.raises(CommandError, match="is missing"):
        maintain("--memory", "1MB")
    out = StringIO()
    call_command("imgrec_maintain", LABEL, "--fix", "--memory", "1MB", stdout=out, stderr=out)
    assert "of maintenance_work_mem, which is 1.0 MB" in out.getvalue()
    drop_index(space)
    with pytest.raises(CommandError, match="write it as PostgreSQL does"):
        maintain("--memory", "much")


def test_the_facts_of_a_table_not_migrated(
    space: SpaceDefinition, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(space.embedding_model._meta, "db_table", "nowhere")
    with pytest.raises(LookupError, match="no table nowhere; run migrate"):
        index_facts.examine(space)
    with pytest.raises(CommandError, match="run migrate"):
        maintain()
    monkeypatch.undo()


def test_the_doctor_tells_size_and_recall(space: SpaceDefinition) -> None:
    found = doctor.examine_space(space)
    assert (found["index"], found["lists_index"], found["recall"]) == ("valid", "valid", None)
    assert found["index_bytes"] > 0
    moment = now()
    rows = Space.objects.filter(label=LABEL)
    rows.update(ef_search=80, recall=0.97, recall_measured_at=moment)
    found = doctor.examine_space(space)
    assert (found["recall"], found["ef_search"]) == (0.97, 80)
    assert found["recall_measured_at"] == moment.isoformat()


def test_bytes_are_those_of_the_index_itself() -> None:
    assert index_facts.hnsw_bytes(20_000, 512, 16) == pytest.approx(27_320_320, rel=0.01)
    assert index_facts.hnsw_bytes(0, 512, 16) == index_facts.PAGE
    assert index_facts.hnsw_bytes(10, 4000, 16) == 21 * index_facts.PAGE
