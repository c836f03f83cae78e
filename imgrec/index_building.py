"""Makes and rebuilds a space's indexes while the shop goes on reading and writing.

The statements run on a connection of their own, in a thread, while the caller watches; a third
connection holds the lock. Kill any of it: what a statement left half done shows in the facts, and
the next call mends it. The server finishes a statement whose client died.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from threading import Thread
from typing import Any

from django.db import connections
from django.db.utils import OperationalError
from django.utils.translation import gettext as _

from imgrec.errors import ImgrecError
from imgrec.index_facts import BLOATED_FROM, IndexFacts, examine, index_of, model_of
from imgrec.locks import lock_apart
from imgrec.spaces import SpaceDefinition

LOCK = "imgrec.index"
LOOK_SECONDS = 0.25


class IndexRefused(ImgrecError):
    """An index cannot be made here; the message says what is in the way and what to do."""


class IndexBusy(IndexRefused):
    """Another process is at the indexes of this space."""


@dataclass(frozen=True)
class Building:
    """How far the statement that runs now is: ``done`` of ``total`` blocks of the table."""

    phase: str = ""
    done: int = 0
    total: int = 0


Watch = Callable[[Building], object]


def statements(
    space: SpaceDefinition, facts: IndexFacts, *, over: float = BLOATED_FROM
) -> list[str]:
    """Return the SQL that makes an index as it should be; empty when it is, or is being built."""
    if facts.building:
        return []
    quote = connections[space.using].ops.quote_name
    found = [f"DROP INDEX CONCURRENTLY IF EXISTS {quote(name)}" for name in facts.leftovers]
    if facts.state == "missing":
        found.append(_creation(space, facts.kind))
    elif facts.state == "invalid" or facts.is_bloated(over):
        found.append(f"REINDEX INDEX CONCURRENTLY {quote(facts.name)}")
    return found


def _creation(space: SpaceDefinition, kind: str) -> str:
    editor = connections[space.using].schema_editor(collect_sql=True, atomic=False)
    index: Any = index_of(space, kind)
    return str(index.create_sql(model_of(space, kind), editor, concurrently=True))


def mend(
    space: SpaceDefinition,
    kind: str = "hnsw",
    *,
    over: float = BLOATED_FROM,
    memory: str = "",
    watch: Watch = lambda building: None,
) -> bool:
    """Make an index as it should be; return whether there was anything to do.

    Args:
        over: rebuild a valid index this many times the size of a fresh one.
        memory: ``maintenance_work_mem`` of the build, such as ``"512MB"``; else the server's.
        watch: called a few times a second meanwhile.

    Raises:
        IndexRefused: not by this role, not now, or PostgreSQL failed.
    """
    if connections[space.using].in_atomic_block:
        raise IndexRefused(_("An index cannot be built inside a transaction."))
    with lock_apart(space, LOCK) as ours:
        if not ours:
            raise IndexBusy(_("Another process is building an index of this space."))
        facts = examine(space, kind)
        todo = statements(space, facts, over=over)
        if todo and not facts.may_change:
            raise IndexRefused(what_to_run(facts, todo))
        if todo:
            _run(space, todo, _options(space, memory), watch)
    return bool(todo)


def what_to_run(facts: IndexFacts, todo: list[str]) -> str:
    """Return what the table's owner must do, word for word."""
    text = _(
        "The index %(index)s needs care, but this role may not change the table %(table)s. "
        "Have its owner, %(owner)s, run (each statement on its own, outside a transaction):"
    )
    text %= {"index": facts.name, "table": facts.table, "owner": facts.owner}
    return "\n".join([text, *(f"    {each};" for each in todo)])


def _options(space: SpaceDefinition, memory: str) -> str:
    """Return the settings the building connection starts with."""
    options = "-c statement_timeout=0 -c lock_timeout=0"
    if not memory:
        return options
    with connections[space.using].cursor() as cursor:
        cursor.execute("SELECT pg_size_bytes(%s) / 1024", [memory])  # whatever else it says
        kilobytes = cursor.fetchone()[0]
    return f"{options} -c maintenance_work_mem={kilobytes}"


def _run(space: SpaceDefinition, todo: list[str], options: str, watch: Watch) -> None:
    """Execute in a thread, and watch; an interrupt cancels what runs."""
    builder = _Builder(space.using, todo, options)
    builder.start()
    try:
        while builder.is_alive():
            watch(_progress(space.using, builder.pid))
            builder.join(LOOK_SECONDS)
    except KeyboardInterrupt:
        builder.cancel()
        raise
    if builder.error:
        raise IndexRefused(_("PostgreSQL did not build the index: %s") % builder.error)


class _Builder(Thread):
    """A connection without a transaction that executes statements one after the other."""

    def __init__(self, using: str, todo: list[str], options: str) -> None:
        super().__init__(name="imgrec-index", daemon=True)
        self.using = using
        self.todo = todo
        self.options = options
        self.error: Exception | None = None
        self.raw: Any = None
        self.pid = 0  # the server's process that executes, once there is one

    def run(self) -> None:
        connection = None
        try:
            connection = self._connect()
            self.raw = connection.connection
            # kept: who watches may ask when the connection has just been closed
            self.pid = self.raw.info.backend_pid
            for statement in self.todo:
                with connection.cursor() as cursor:
                    cursor.execute(statement)
        except Exception as error:  # noqa: BLE001 - told by the thread that waits
            self.error = error
        finally:
            if connection is not None:
                connection.close()

    def _connect(self) -> Any:
        """Connect with settings of our own; a pooler may refuse those, then without."""
        connection: Any = connections[self.using].copy()
        options = connection.settings_dict["OPTIONS"]
        options.pop("pool", None)
        before = options.get("options", "")
        try:
            options["options"] = f"{before} {self.options}".strip()
            connection.ensure_connection()
        except OperationalError:
            options["options"] = before
            connection.ensure_connection()
        return connection

    def cancel(self) -> None:
        """Have the server stop the statement, and wait until it has."""
        if self.raw is not None:
            self.raw.cancel()
        self.join(5)


_PROGRESS = (
    "SELECT phase, blocks_done, blocks_total FROM pg_stat_progress_create_index WHERE pid = %s"
)


def _progress(using: str, pid: int) -> Building:
    with connections[using].cursor() as cursor:
        cursor.execute(_PROGRESS, [pid])
        row = cursor.fetchone()
    return Building(*row) if row else Building()
