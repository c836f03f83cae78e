"""Every fault of a campaign by its name. Each lasts a moment, and the shop goes on meanwhile."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.db import connection

from imgrec import jobs, sweep
from imgrec.models import EmbeddingJob
from imgrec.spaces import SpaceDefinition
from tests.celery import app
from tests.faults.controls import Controls
from tests.faults.crew import Crew
from tests.faults.history import History
from tests.faults.post import DELIVERED_TO
from tests.faults.servers import Servers
from tests.faults.shopping import Shopping
from tests.waiting import wait_until

NOTICED_SECONDS = 6.0
SOON_SECONDS = 1.5
# What an encoder takes: faults shall meet workers that are at work.
SECONDS_A_PHOTO = 0.02


class Trouble:
    """The faults as methods; :data:`FAULTS` names them."""

    def __init__(
        self,
        space: SpaceDefinition,
        *,
        servers: Servers,
        crew: Crew,
        shopping: Shopping,
        controls: Controls,
        history: History,
    ) -> None:
        self._space = space
        self._servers = servers
        self._crew = crew
        self._shopping = shopping
        self._controls = controls
        self._history = history
        controls.say("encoder", f"slow:{SECONDS_A_PHOTO}")

    def happens(self, name: str) -> None:
        """Have a fault happen, and a worker running afterwards."""
        self._history.note(name)
        fault: Callable[[], object] = getattr(self, name)
        fault()
        self._crew.ensure()

    def end(self) -> None:
        """Have nothing wrong any more."""
        for name in ("storage", "photo", "lists"):
            self._controls.say(name)
        self._servers.mend()
        self._crew.thaw()
        self._crew.ensure()

    def _at_work(self) -> bool:
        return EmbeddingJob.objects.filter(space=self._space.label, state="leased").exists()

    def _shop(self) -> None:
        """Edit, then wait for a worker to be in the middle of it."""
        self._shopping.something()
        self._nudge()
        self._history.note(f"    at work: {wait_until(self._at_work, 0.5)}")

    # Workers

    def child_killed(self) -> None:
        """SIGKILL to a process of the pool."""
        self._shop()
        self._history.note(f"    {self._crew.kill_child()}")

    def worker_killed(self) -> None:
        """SIGKILL to the worker and its pool."""
        self._shop()
        self._crew.kill()
        self._shopping.something()

    def child_frozen(self) -> None:
        """A process stands still for longer than its lease, then goes on."""
        self._shop()
        self._history.note(f"    {self._crew.freeze_child()}")
        self._shopping.something()
        time.sleep(2.5)
        self._crew.thaw()

    # Servers

    def redis_killed(self) -> None:
        self._servers.redis_killed(self._shopping.something)

    def redis_emptied(self) -> None:
        self._servers.redis_emptied(self._shopping.something)

    def redis_frozen(self) -> None:
        self._servers.redis_frozen(lambda: (self._shopping.something(), time.sleep(1)))

    def redis_silent(self) -> None:
        self._servers.redis_silent(self._shopping.something)

    def redis_refusing(self) -> None:
        self._servers.redis_refusing(lambda: (self._shopping.something(), time.sleep(0.5)))

    def backends_terminated(self) -> None:
        self._servers.backends_terminated(self._shop)

    def postgres_restarted(self) -> None:
        self._servers.postgres_restarted(self._shop)

    # The photo storage

    def storage_slow(self) -> None:
        self._with_storage("slow:0.1")

    def storage_short(self) -> None:
        self._with_storage("short")

    def storage_missing(self) -> None:
        self._with_storage("missing")

    def _with_storage(self, trouble: str) -> None:
        self._controls.say("storage", trouble)
        self._shop()
        time.sleep(0.3)
        self._controls.say("storage")

    # Merchants in a hurry: each photo is changed again while a worker has it

    def replaced_in_hand(self) -> None:
        self._twice(self._shopping.replace)

    def cleared_in_hand(self) -> None:
        self._twice(self._shopping.clear)

    def deleted_in_hand(self) -> None:
        self._twice(self._shopping.delete)

    def rolled_back_in_hand(self) -> None:
        self._twice(self._shopping.roll_back)

    def _twice(self, deed: Callable[..., object]) -> None:
        for product in self._shopping.any(3):
            self._shopping.replace(product)
            wait_until(self._at_work, 0.2)
            deed(product)

    # Two that meet

    def overtaken(self) -> None:
        """A worker reads a photo slowly; meanwhile it is replaced, and the new one is stored."""
        (product,) = self._shopping.any()
        name = f"held-{time.monotonic_ns()}"
        photo = self._shopping.photo()
        photo.name = f"{name}-{photo.name}"
        self._controls.hold("photo", photo.name)
        product.photo = photo
        product.save()
        self._nudge()
        held = wait_until(lambda: self._controls.is_held("photo"), NOTICED_SECONDS)
        again = self._shopping.replace(product)
        self._nudge()
        stored = self._space.embedding_model.objects.filter(owner=product.pk, source_name=again)
        done = held and wait_until(stored.exists, NOTICED_SECONDS)
        self._history.note(f"    {product.pk}: held {held}, the new one stored {done}")
        self._controls.say("photo")

    def lists_overtaken(self) -> None:
        """A worker has lists ready to write and stands still; meanwhile other photos change."""
        left = jobs.open_jobs(self._space)
        wait_until(lambda: not left.exists(), NOTICED_SECONDS)
        self._controls.hold("lists", "computed")
        for product in self._shopping.any(3):
            self._shopping.replace(product)
        self._nudge()
        held = wait_until(lambda: self._controls.is_held("lists"), NOTICED_SECONDS)
        others = self._shopping.any(6)
        names = [self._shopping.replace(product) for product in others]
        self._nudge()
        stored = self._space.embedding_model.objects.filter(source_name__in=names)
        done = held and wait_until(lambda: stored.count() == len(names), NOTICED_SECONDS)
        # somebody else repairs their lists now; if one at a time may, in vain
        theirs = left.filter(object_pk__in=[str(each.pk) for each in others])
        overtaken = done and any(self._are_done(theirs) for _again in range(4))
        self._history.note(f"    held {held}, the others stored {done}, in lists {overtaken}")
        self._controls.say("lists")

    def _are_done(self, jobs_: Any) -> bool:
        self._nudge()
        return bool(wait_until(lambda: not jobs_.exists(), SOON_SECONDS))

    # Messages

    def sweeps_at_once(self) -> None:
        """Several sweeps, by workers and by others."""
        self._shop()
        for _ in range(4):
            self._nudge("imgrec.sweep")

        def one(_number: int) -> None:
            try:
                sweep.sweep()
            finally:
                connection.close()

        with ThreadPoolExecutor(3) as pool:
            list(pool.map(one, range(3)))

    def messages_multiplied(self) -> None:
        """The same message many times."""
        self._shop()
        for _ in range(10):
            self._nudge()

    def _nudge(self, task: str = "imgrec.embed_pending") -> None:
        app.send_task(task, queue=DELIVERED_TO, ignore_result=True)


FAULTS = [name for name, value in vars(Trouble).items() if name[0] != "_" and callable(value)]
FAULTS = [name for name in FAULTS if name not in ("happens", "end")]
