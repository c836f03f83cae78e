"""Everything that may happen to a small shop and its workers, in any order: a state machine.

Workers are functions called here, one at a time: what matters is what is between two calls.
Messages wait in a post office, from which they are delivered late, twice or never; a worker is
killed at any statement, or stands still with a batch in hand while the world goes on.
"""

from __future__ import annotations

from typing import Any

from django.db.models.functions import Now
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from imgrec import indexing, jobs, pipeline, runs, sweep, tasks
from imgrec.batches import Batch
from imgrec.claims import claim
from imgrec.models import EmbeddingJob
from imgrec.reasons import Reason
from imgrec.spaces import SpaceDefinition
from tests.faults.fuse import killed_after
from tests.faults.keeping import Keeper
from tests.faults.small_shop import SmallShop

SETTINGS = {
    "batch_size": 4,
    "decode_threads": 2,
    "stored_neighbours": 3,
    "refill_below": 2,
    "placeholder_above": 3,
    "min_similarity": 0.0,
}
CHANGES = ["replace", "replace_unseen", "clear", "clear_unseen", "delete", "delete_unseen"]
ROUNDS = 6
TASKS: dict[str, Any] = {
    "imgrec.embed_pending": tasks.embed_pending,
    "imgrec.sweep": tasks.sweep_all,
}

places = st.integers(0, 7)
kinds = st.sampled_from(["plain", "plain", "plain", "twin", "twin", "broken", "missing"])
statements = st.integers(0, 40)


class Machine(RuleBasedStateMachine):
    """``post``: the names of tasks sent and not yet delivered, which the test has put there."""

    def __init__(self, space: SpaceDefinition, post: list[str]) -> None:
        super().__init__()
        self.space, self.post = space, post
        self.post.clear()
        self.shop = SmallShop(space)
        self.keeper = Keeper(self.shop)
        self.held: list[Batch] = []
        self.steps = 0
        self.is_sound = True

    @initialize(first=st.lists(kinds, min_size=1, max_size=6), are_done=st.booleans())
    def open_shop(self, first: list[str], are_done: bool) -> None:
        self.shop.import_rows(first)
        if are_done:
            self._settle()

    # The merchant

    @rule(kind=kinds)
    def save(self, kind: str) -> None:
        self.shop.save(kind)

    @rule(some=st.lists(kinds, min_size=2, max_size=4))
    def import_rows(self, some: list[str]) -> None:
        self.shop.import_rows(some)

    @rule(place=places, kind=kinds, how=st.sampled_from(CHANGES[:2]))
    def replace(self, place: int, kind: str, how: str) -> None:
        self._change(how, place, kind)

    @rule(place=places, kind=kinds)
    def roll_back(self, place: int, kind: str) -> None:
        self._change("roll_back", place, kind)

    @rule(place=places, how=st.sampled_from(CHANGES[2:]))
    def take_away(self, place: int, how: str) -> None:
        self._change(how, place)

    @rule(place=places, published=st.booleans(), stock=st.integers(0, 1))
    def publish(self, place: int, published: bool, stock: int) -> None:
        if product := self.shop.any(place):
            self.shop.publish(product, published=published, stock=stock)

    @rule(place=places)
    def open_form(self, place: int) -> None:
        if product := self.shop.any(place):
            self.shop.forms.append(product)

    @precondition(lambda self: self.shop.forms)
    @rule(place=places)
    def save_form(self, place: int) -> None:
        self.shop.save_form(place)

    @rule(only=st.none() | st.lists(places, max_size=3))
    def reindex(self, only: list[int] | None) -> None:
        found = list(self.shop.rows.values_list("pk", flat=True))
        pks = None if only is None else [found[place] for place in only if place < len(found)]
        try:
            runs.start(self.space, pks)
        except runs.RunRefused:
            assert EmbeddingJob.objects.exists()

    @rule()
    def retry_failed(self) -> None:
        jobs.retry_failed(self.space)

    # The workers, and whoever tells them

    @precondition(lambda self: self.post)
    @rule(place=places, times=st.integers(0, 2))
    def deliver(self, place: int, times: int) -> None:
        """A message arrives: never, once or twice, and before or after others."""
        task = self.post.pop(place % len(self.post))
        for _ in range(times):
            self._call(task)

    @rule(task=st.sampled_from(sorted(TASKS)))
    def ring(self, task: str) -> None:
        """A worker's own clock."""
        self._call(task)

    @rule(task=st.sampled_from(sorted(TASKS)), after=statements)
    def kill(self, task: str, after: int) -> None:
        with killed_after(after):
            self._call(task)

    @rule()
    def hold(self) -> None:
        """A worker takes a batch, and stands still."""
        if claims := claim(self.space):
            batch = Batch(self.space, claims)
            batch.start()
            self.held.append(batch)

    @precondition(lambda self: self.held)
    @rule(place=places, after=st.none() | statements)
    def go_on(self, place: int, after: int | None) -> None:
        """One that stood still goes on, and may be killed yet."""
        batch = self.held.pop(place % len(self.held))
        with killed_after(10_000 if after is None else after):
            batch.finish()

    @rule(place=places, kind=kinds, how=st.sampled_from(CHANGES), is_done=st.booleans())
    def overtake(self, place: int, kind: str, how: str, is_done: bool) -> None:
        """One stands still with a new photo, which changes again; perhaps another does that."""
        self._change("replace", place, "plain")
        self.hold()
        self._change(how, place, *([kind] if how.startswith("replace") else []))
        if is_done:
            self._call("imgrec.embed_pending")
        if self.held:
            self.held.pop().finish()

    @rule()
    def let_leases_run_out(self) -> None:
        EmbeddingJob.objects.filter(state="leased").update(due_at=Now())

    @invariant()
    def nothing_is_wrong(self) -> None:
        self.steps += 1
        self._demand(self.keeper.at_any_moment(self.steps))

    def teardown(self) -> None:
        if self.is_sound:
            for batch in self.held:
                batch.finish()
            self._settle()

    def _change(self, how: str, place: int, *kind: str) -> None:
        if product := self.shop.any(place):
            getattr(self.shop, how)(product, *kind)

    def _call(self, task: str) -> None:
        pipeline._retried_until.clear()  # else what comes first would depend on the clock
        indexing._lists_at.clear()
        TASKS[task]()

    def _settle(self) -> None:
        """Have all work done, and see that it is; give what died with its worker another try."""
        for _again in range(2):
            self._work_until_idle()
            self._demand(self.keeper.once_settled(refill_below=SETTINGS["refill_below"]))
            died = EmbeddingJob.objects.filter(reason=Reason.WORKER_DIED)
            if not died.exists():
                return
            jobs.retry_failed(self.space, died.values_list("object_pk", flat=True))
        self._demand(["retried in peace, it died again"])

    def _work_until_idle(self) -> None:
        for _round in range(ROUNDS):
            self.let_leases_run_out()
            jobs.hurry(self.space)
            self._call("imgrec.sweep")
            self._call("imgrec.embed_pending")
            gaps = (sweep.missing(self.space), sweep.cleared(self.space))
            if not any(rows.exists() for rows in (*gaps, jobs.open_jobs(self.space))):
                return

    def _demand(self, problems: list[str]) -> None:
        self.is_sound = self.is_sound and not problems
        assert not problems, "\n".join(problems)
