"""The jobs a process has in hand: their leases start anew for as long as it is at them."""

from __future__ import annotations

import time
from collections.abc import Iterable

from imgrec import jobs
from imgrec.claims import Claim
from imgrec.conf import settings
from imgrec.spaces import SpaceDefinition


class Leases:
    """A slow storage or encoder is no reason for another worker to take over."""

    def __init__(self, space: SpaceDefinition) -> None:
        self._space = space
        self._claims: dict[int, Claim] = {}
        self._renewed_at = time.monotonic()

    def hold(self, claims: Iterable[Claim]) -> None:
        """Look after these as well, just claimed."""
        self._claims.update({each.id: each for each in claims})

    def let_go(self, claims: Iterable[Claim]) -> None:
        """These have come to their ends."""
        for each in claims:
            self._claims.pop(each.id, None)

    def renew(self) -> None:
        """Start the leases anew when a third of their time has gone by."""
        if time.monotonic() - self._renewed_at >= settings.lease_seconds / 3:
            jobs.renew(self._space, self._claims.values())
            self._renewed_at = time.monotonic()
