"""A Redis that is away costs a worker one attempt, and then none for a while."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from redis import RedisError

from imgrec import photo_queries


class Away:
    """A Redis nobody reaches, which counts who tried."""

    tried = 0

    def rpop(self, _queue: str) -> Any:
        Away.tried += 1
        raise RedisError("nobody there")


@pytest.fixture(autouse=True)
def away(monkeypatch: pytest.MonkeyPatch) -> None:
    Away.tried = 0
    monkeypatch.setattr(photo_queries, "_away_until", 0.0)
    monkeypatch.setattr(photo_queries, "can_ask", lambda: True)
    monkeypatch.setattr(photo_queries, "_redis", lambda timeout: Away())


def test_it_is_left_alone_between_batches(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "imgrec"):
        assert [photo_queries.answer_waiting() for _ in range(5)] == [0] * 5
    assert Away.tried == len(caplog.records) == 1


def test_it_is_asked_again_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    photo_queries.answer_waiting()
    later = photo_queries._away_until + 0.1
    monkeypatch.setattr(photo_queries.time, "monotonic", lambda: later)
    photo_queries.answer_waiting()
    assert Away.tried == 2
