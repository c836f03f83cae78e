"""Which tests one process runs when there are several: a file's, and all that need the demo."""

from __future__ import annotations

from xdist.scheduler import LoadFileScheduling

DEMOS = ("tests/browser/", "tests/demo/test_api_contract.py")


class OneDemo(LoadFileScheduling):
    """As ``--dist loadfile``; the demo shop takes half a minute to start, and starts once."""

    def _split_scope(self, nodeid: str) -> str:
        file: str = super()._split_scope(nodeid)
        return "the running demo" if file.startswith(DEMOS) else file
