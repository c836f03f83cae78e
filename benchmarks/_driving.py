"""Requests over HTTP as fast as a server answers them: by wrk, else by threads of our own.

wrk takes next to nothing of the machine that the server runs on as well; threads of Python take a
good part of it, so figures of the two are not to be compared.
"""

from __future__ import annotations

import json
import math
import shutil
import statistics
import subprocess
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from urllib.parse import urlsplit

CONNECTIONS = 8
TIMEOUT_SECONDS = 10

# Asks for one address after the other, and ends with one line of JSON.
_SCRIPT = """
local paths, place = {}, 0
function init(args)
  for path in io.lines(args[1]) do paths[#paths + 1] = path end
end
function request()
  place = place % #paths + 1
  return wrk.format("GET", paths[place])
end
function done(summary, latency)
  local e = summary.errors
  print(string.format(
    'JSON {"requests": %d, "seconds": %.3f, "p50": %.3f, "p99": %.3f, "errors": %d}',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3,
    latency:percentile(99) / 1e3, e.connect + e.read + e.write + e.status + e.timeout))
end
"""


@dataclass(frozen=True)
class Load:
    """What so many seconds of requests came to; ``p50`` and ``p99`` in milliseconds."""

    requests: int
    seconds: float
    p50: float
    p99: float
    errors: int  # answers of 400 and above, lost connections, more than ten seconds
    by: str

    @property
    def per_second(self) -> float:
        """Requests answered in a second."""
        return self.requests / self.seconds


def drive(address: str, paths: Sequence[str], *, seconds: float) -> Load:
    """Keep eight connections busy with these paths, in turns, for so long."""
    program = shutil.which("wrk")
    if program is None:
        return _by_threads(address, paths, seconds)
    with tempfile.TemporaryDirectory() as folder:
        script, listed = Path(folder, "turns.lua"), Path(folder, "paths")
        script.write_text(_SCRIPT)
        listed.write_text("\n".join(paths))
        command = [program, "-t1", f"-c{CONNECTIONS}", f"-d{seconds:g}s"]
        command += [f"--timeout={TIMEOUT_SECONDS}s", "-s", str(script), address, "--", str(listed)]
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    (line,) = [line for line in said.splitlines() if line.startswith("JSON ")]
    return Load(**json.loads(line.removeprefix("JSON ")), by="wrk")


def _by_threads(address: str, paths: Sequence[str], seconds: float) -> Load:
    took: list[float] = []
    errors: list[str] = []
    began = time.perf_counter()
    threads = [
        threading.Thread(
            target=_ask, args=(address, paths[i:] + paths[:i], began + seconds, took, errors)
        )
        for i in range(CONNECTIONS)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    spent = time.perf_counter() - began
    p99 = sorted(took)[math.ceil(0.99 * len(took)) - 1]
    return Load(len(took), spent, statistics.median(took), p99, len(errors), "threads")


def _ask(
    address: str, paths: Sequence[str], until: float, took: list[float], errors: list[str]
) -> None:
    connection = HTTPConnection(urlsplit(address).netloc, timeout=TIMEOUT_SECONDS)
    while True:
        for path in paths:
            began = time.perf_counter()
            if began >= until:
                connection.close()
                return
            try:
                connection.request("GET", path)
                answer = connection.getresponse()
                answer.read()
                if answer.status >= 400:
                    errors.append(f"{answer.status} {path}")
            except (OSError, HTTPException) as error:
                errors.append(f"{error} {path}")
                connection.close()
            took.append(1000 * (time.perf_counter() - began))
