"""What both servers have in common: start, stop, crash, freeze."""

from __future__ import annotations

import secrets
import signal
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import psutil

from demo_shop.services.launching import ServiceError, end_with_us, free_port, ordinary_account

START_SECONDS = 30
STOP_SECONDS = 10


class Service(ABC):
    """One server process in a folder. ``pid`` and ``port`` are known once it has started."""

    name: str
    program: str
    stop_signal: signal.Signals

    def __init__(self, folder: Path | str, *, port: int | None = None) -> None:
        self.folder = Path(folder).resolve() / self.name
        self.log = self.folder / f"{self.name}.log"
        self.port = port
        self.pid: int | None = None
        self._process: subprocess.Popen[bytes] | None = None

    @property
    @abstractmethod
    def url(self) -> str:
        """Where clients connect, password included."""

    @abstractmethod
    def _prepare(self) -> None:
        """Write what the command needs into the folder."""

    @abstractmethod
    def _command(self) -> list[str]:
        """Return the server's command line."""

    @abstractmethod
    def _answers(self) -> bool:
        """Return whether the server takes a connection with our password."""

    @abstractmethod
    def _remembered(self) -> tuple[int, int] | None:
        """Return the pid and port of the folder's last server, be it running or not."""

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.stop()

    @property
    def password(self) -> str:
        return (self.folder / "password").read_text()

    def start(self) -> None:
        """Start the server, or find it running, and return when it answers.

        Raises ServiceError when it does not.
        """
        if self._is_running():
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        if self._adopt():
            return
        self.port = self.port or free_port()
        self._make_password()
        self._prepare()
        death_signal = self.stop_signal.name.removeprefix("SIG")
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                # In this order: changing the account forgets whom to end with.
                [*ordinary_account(), *end_with_us(death_signal), *self._command()],
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                # Ctrl-C in a terminal goes to whoever started us, who then stops all in order.
                start_new_session=True,
            )
        self.pid = self._process.pid
        self._wait_until_it_answers()

    def stop(self) -> None:
        """Stop the server, if this object started it, and wait for its end."""
        if self._process is not None and self._is_running():
            self._process.send_signal(self.stop_signal)
            self.thaw()
            try:
                self._process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.kill()
        self._process = self.pid = None

    def kill(self) -> None:
        """End the server at once, as a crash would; ``start()`` brings it back on its port."""
        if self._process is not None and self._is_running():
            children = psutil.Process(self._process.pid).children(recursive=True)
            self._process.kill()
            self._process.wait()
            # PostgreSQL's children outlive it for a moment and keep its shared memory.
            psutil.wait_procs(children, timeout=STOP_SECONDS)
        self._process = self.pid = None

    def freeze(self) -> None:
        """Make the server accept connections and say nothing."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let a frozen server go on."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)

    def _is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def _adopt(self) -> bool:
        """Use a server that already runs over this folder; ``stop()`` will leave it alone.

        One about to end, because its starter crashed, is waited for. A stale pid is no server of
        ours, even when the system has given it to another process since.
        """
        remembered = self._remembered()
        if remembered is None:
            return False
        pid, port = remembered
        for _ in attempts(STOP_SECONDS):
            if not self._is_ours(pid):
                self._forget()
                return False
            if self._answers_on(port):
                self.pid = pid
                return True
        raise ServiceError(f"{self.name} (pid {pid}) runs over {self.folder}, but is silent.")

    def _answers_on(self, port: int) -> bool:
        wished, self.port = self.port, port
        if self._answers():
            return True
        self.port = wished
        return False

    def _is_ours(self, pid: int) -> bool:
        try:
            process = psutil.Process(pid)
            here = Path(process.cwd()).is_relative_to(self.folder)
            return here and process.name() == self.program
        except psutil.Error:
            return False

    def _forget(self) -> None:  # noqa: B027  (nothing to do unless a server says otherwise)
        """Remove what a crashed server left that would keep the next one from starting."""

    def _make_password(self) -> None:
        path = self.folder / "password"
        if not path.exists():
            path.touch(mode=0o600)
            path.write_text(secrets.token_hex(16))

    def _wait_until_it_answers(self) -> None:
        for _ in attempts(START_SECONDS):
            if self._answers():
                return
            if not self._is_running():
                break
        self.stop()
        tail = "\n".join(self.log.read_text(errors="replace").splitlines()[-15:])
        raise ServiceError(f"{self.name} did not start in {self.folder}:\n{tail}")


def attempts(seconds: float) -> Iterator[None]:
    """Yield again and again, with a short pause, until the time is over."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        yield
        time.sleep(0.05)
