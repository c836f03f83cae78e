"""The shop with everything it needs: PostgreSQL, Redis, a worker, a web server. Until Ctrl-C."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import NoReturn

from demo_shop.running import ports
from demo_shop.running.child import Child
from demo_shop.running.errors import DemoError
from demo_shop.running.folder import DataFolder
from demo_shop.services import Postgres, Redis, end_with_us

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
SHOP = "/catalogue/"
MANAGE = [sys.executable, str(HERE / "manage.py")]
WORKER = [sys.executable, "-m", "celery", "-A", "oscar_shop", "worker", "-Q", "imgrec", "-c", "1"]


def serve(folder: Path, port: int) -> None:
    """Run the shop until it is interrupted. The folder keeps all it has. Raises DemoError."""
    if ports.is_taken(port):
        raise DemoError(f"Port {port} is taken. Choose another: --port {port + 1}")
    signal.signal(signal.SIGTERM, _end)
    data = DataFolder(folder)
    data.take()
    password = data.admin_password
    with ExitStack() as stack:
        postgres = stack.enter_context(Postgres(data.path, database="oscar_shop"))
        redis = stack.enter_context(Redis(data.path))
        environment = variables(postgres.url, redis.url, data.path)
        if failed := manage(environment, "prepare"):
            raise SystemExit(failed)
        web = [*MANAGE, "runserver", "--noreload", str(port)]
        for name, command in (("worker", WORKER), ("web", web)):
            child = Child(name, command, environment=environment, log=data.log(name))
            stack.callback(child.stop)
            child.start()
        if manage(environment, "imgrec_index", "--missing"):
            print(f"Some photos wait still, or failed: see {data.log('worker')}.", flush=True)
        manage(environment, "fill_recommendations")
        if not ports.wait_for(lambda: ports.answers(port, SHOP), while_true=child.is_running):
            raise SystemExit(f"The web server did not start:\n{child.last_words()}")
        print(f"Shop http://127.0.0.1:{port}{SHOP}  dashboard /dashboard/", flush=True)
        print(f"Account admin@example.com / {password}. Ctrl-C stops everything.", flush=True)
        while child.is_running():
            time.sleep(1)


def variables(database: str, redis: str, folder: Path) -> dict[str, str]:
    """Return what the shop's processes need to find servers, files and modules."""
    path = os.pathsep.join([str(HERE), str(ROOT), os.environ.get("PYTHONPATH", "")])
    settings = {
        "DJANGO_SETTINGS_MODULE": "oscar_shop.settings",
        "DATABASE_URL": database,
        "REDIS_URL": redis,
        "OSCAR_DATA": str(folder),
        "PYTHONPATH": path,
        "PYTHONUNBUFFERED": "1",
    }
    return {**os.environ, **settings}


def manage(environment: dict[str, str], *arguments: str) -> int:
    """Run one of Django's commands to its end; return its exit status."""
    command = [*end_with_us("TERM"), *MANAGE, *arguments]
    return subprocess.run(command, env=environment).returncode


def _end(number: int, frame: object) -> NoReturn:
    raise KeyboardInterrupt
