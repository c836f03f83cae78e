"""One command to the shop: ``python examples/wagtail/run.py``. See ``examples/starting.py``."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent))

from examples.starting import start  # noqa: E402 - found by the line above


def serve(folder: Path, port: int) -> None:
    """Serve it; by what is installed only then."""
    from examples.serving import Example

    Example(
        here=HERE, project="wagtail_shop", page="/", admin="Wagtail /admin/", account="admin"
    ).serve(folder, port)


if __name__ == "__main__":
    sys.exit(start(HERE, serve, what="A Wagtail shop", needed=("wagtail",), port=8002))
