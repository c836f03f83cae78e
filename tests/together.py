"""Which tests one process runs when there are several, and which come first."""

from __future__ import annotations

from typing import Any

from xdist.scheduler import LoadFileScheduling

DEMO = "the running demo"
LOOK_AT_IT = ("tests/browser/", "tests/demo/test_api_contract.py")
# What takes long comes first, so that small files are left for whoever is done sooner.
FIRST = (DEMO, "tests/faults/", "tests/integration/")


class OneDemo(LoadFileScheduling):
    """As ``--dist loadfile``; the demo shop takes half a minute to start, and starts once."""

    def _split_scope(self, nodeid: str) -> str:
        file: str = super()._split_scope(nodeid)
        return DEMO if file.startswith(LOOK_AT_IT) else file

    def _assign_work_unit(self, node: Any) -> None:
        self.workqueue.move_to_end(min(self.workqueue, key=_rank), last=False)
        super()._assign_work_unit(node)


def _rank(scope: str) -> int:
    """Return how early a scope comes: small is early."""
    ranks = (place for place, begins in enumerate(FIRST) if scope.startswith(begins))
    return next(ranks, len(FIRST))
