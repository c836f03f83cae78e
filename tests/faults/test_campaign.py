"""Everything goes wrong, in a random order, and afterwards nothing is lost and nothing is wrong.

A seed plays the same campaign again: IMGREC_FAULTS_SEED.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from django.conf import settings
from django.test import override_settings

from demo_shop.services import Postgres, Redis
from imgrec import jobs
from imgrec.spaces import SpaceDefinition
from tests.faults import promises
from tests.faults.controls import Controls
from tests.faults.crew import Crew
from tests.faults.history import History, seed
from tests.faults.post import SENT_TO, Post
from tests.faults.servers import Servers, keep_what_is_committed
from tests.faults.shopping import Shopping
from tests.faults.trouble import FAULTS, Trouble
from tests.waiting import wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

PRODUCTS = 300
SETTLED_SECONDS = 60
# Shorter than a shop's, so that a campaign meets many ends of a lease. In full they are a
# shop's own, but for the sweep: what no signal told shall be found within the minute.
QUICK = {"batch_size": 8, "lease_seconds": 2, "sweep_seconds": 2}
FULL = {"batch_size": 8, "tick_seconds": 10, "sweep_seconds": 20}


class Campaign:
    """A shop in trouble: so many faults, then a minute in which all must become well."""

    def __init__(self, trouble: Trouble, shopping: Shopping, history: History) -> None:
        self._trouble = trouble
        self._shopping = shopping
        self._history = history

    def run(self, space: SpaceDefinition, faults: list[str], products: int) -> list[str]:
        """Play the faults; return every promise that is broken in the end."""
        self._shopping.fill(products)
        for fault in faults:
            self._trouble.happens(fault)
        self._history.note("all is well again")
        self._trouble.end()
        self._settle(space)
        found = promises.broken(space)
        self._history.note(f"failed: {jobs.retry_failed(space)}")
        self._settle(space)
        found += promises.broken(space)
        self._history.note("\n".join(["broken:", *found]) if found else "every promise kept")
        return found

    def _settle(self, space: SpaceDefinition) -> None:
        wait_until(lambda: not promises.unsettled(space), SETTLED_SECONDS)
        self._history.note(f"not settled: {promises.unsettled(space)}")


Start = Callable[..., Campaign]


@pytest.fixture
def start(
    space: SpaceDefinition,
    controls: Controls,
    start_crew: Callable[..., Crew],
    postgres: Postgres | None,
    redis_server: Redis | None,
) -> Iterator[Start]:
    """A function that makes a campaign's shop, its workers and its post office."""
    if postgres is None or redis_server is None:
        pytest.skip("servers of somebody else's are not ours to kill")
    with ExitStack() as stack:

        def make(history: History, *, mutant: str = "", **imgrec: object) -> Campaign:
            number = seed()
            dice = random.Random(number)
            servers = Servers(postgres, redis_server)
            stack.callback(keep_what_is_committed, False)
            stack.callback(servers.mend)
            keep_what_is_committed(True)
            stack.enter_context(promises.every_vector_noted(space))
            crew = start_crew(mutant=mutant, dice=dice, **imgrec)
            stack.callback(crew.stop)
            post = Post(redis_server.url, random.Random(number + 1), history)
            stack.callback(post.close)
            stack.enter_context(override_settings(IMGREC=_shop_settings(imgrec)))
            shopping = Shopping(dice, history)
            trouble = Trouble(
                space,
                servers=servers,
                crew=crew,
                shopping=shopping,
                controls=controls,
                history=history,
            )
            stack.callback(trouble.end)
            return Campaign(trouble, shopping, history)

        yield make


def _shop_settings(imgrec: dict[str, object]) -> dict[str, object]:
    quick = {"queue": SENT_TO, "broker_timeout_seconds": 0.5}
    return {**settings.IMGREC, **imgrec, **quick}


def shuffled(times: int) -> list[str]:
    """Return so many faults: each kind as often as any other, give or take one."""
    dice = random.Random(seed())
    order: list[str] = []
    while len(order) < times:
        order += dice.sample(FAULTS, len(FAULTS))
    return order[:times]


@pytest.mark.parametrize(
    ("faults", "imgrec"),
    [
        pytest.param(40, QUICK, id="40 faults", marks=pytest.mark.timeout(300)),
        pytest.param(
            500, FULL, id="500 faults", marks=[pytest.mark.full, pytest.mark.timeout(3600)]
        ),
    ],
)
def test_nothing_is_lost_and_nothing_is_wrong(
    space: SpaceDefinition, start: Start, faults: int, imgrec: dict[str, object]
) -> None:
    history = History(f"campaign of {faults}", seed())
    found = start(history, **imgrec).run(space, shuffled(faults), PRODUCTS)
    assert not found, str(history)


@pytest.mark.parametrize(
    ("mutant", "sign"),
    [("no compare-and-set", "stored after that of"), ("no list lock", "similarities")],
)
@pytest.mark.parametrize(
    ("faults", "products"),
    [
        # of fewer, too few would be left for lists to be repaired: all would be built anew
        pytest.param(6, PRODUCTS, id="6 faults", marks=pytest.mark.timeout(300)),
        pytest.param(
            40, PRODUCTS, id="40 faults", marks=[pytest.mark.full, pytest.mark.timeout(900)]
        ),
    ],
)
def test_a_campaign_notices_what_is_taken_away(
    space: SpaceDefinition, start: Start, mutant: str, sign: str, faults: int, products: int
) -> None:
    history = History(f"{mutant} {faults}", seed())
    campaign = start(history, mutant=mutant, **QUICK)
    order = [*shuffled(faults - 2), "lists_overtaken", "overtaken"]
    found = campaign.run(space, order, products)
    assert any(sign in each for each in found), str(history)
