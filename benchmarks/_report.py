"""Rows of figures, as a table or as JSON."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import asdict, dataclass, field
from typing import Any

_CIRCUMSTANCES: ContextVar[dict[str, int]] = ContextVar("circumstances", default={})  # noqa: B039


def _circumstance(name: str) -> Any:
    return field(default_factory=lambda: _CIRCUMSTANCES.get().get(name), kw_only=True)


def _load() -> float:
    return round(os.getloadavg()[0], 2)


@dataclass(frozen=True)
class Row:
    """One figure beside its rival's; the ratio is value / rival_value (None beside a zero).

    ``n`` products made from ``seed``, each figure of ``repeats`` measurements, at ``load``, the
    machine's load average of the last minute; ``note`` says what else it depends on.
    """

    name: str
    value: float
    unit: str
    rival: str
    rival_value: float
    n: int | None = _circumstance("n")
    seed: int | None = _circumstance("seed")
    repeats: int | None = _circumstance("repeats")
    load: float = field(default_factory=_load, kw_only=True)
    note: str = field(default="", kw_only=True)

    @property
    def ratio(self) -> float | None:
        """How many times the rival's figure ours is."""
        return round(self.value / self.rival_value, 3) if self.rival_value else None


@contextmanager
def circumstances(**values: int) -> Iterator[None]:
    """Give the rows made inside their ``n``, ``seed`` and ``repeats``, unless they say others."""
    token = _CIRCUMSTANCES.set({**_CIRCUMSTANCES.get(), **values})
    try:
        yield
    finally:
        _CIRCUMSTANCES.reset(token)


def machine() -> dict[str, object]:
    """Return what the figures depend on."""
    return {
        "processor": platform.machine(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "load_average": _load(),
    }


def main(name: str, measure: Callable[..., list[Row]], *, sizes: Sequence[int] = ()) -> None:
    """Parse the command line, measure and print.

    ``sizes``: the catalogue sizes measured by default; then ``measure`` takes ``sizes``, which are
    those of ``--sizes`` or, with ``--quick`` and unless told, None.
    """
    parser = argparse.ArgumentParser(prog=f"python -m benchmarks.{name}")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    parser.add_argument("--quick", action="store_true", help="less than a minute")
    if sizes:
        listed = ",".join(map(str, sizes))
        parser.add_argument("--sizes", type=_numbers, help=f"products, default {listed}")
    options = parser.parse_args()
    chosen = {}
    if sizes:
        chosen["sizes"] = options.sizes or (None if options.quick else tuple(sizes))
    before = machine()
    rows = measure(quick=options.quick, **chosen)
    if options.json:
        report = [{**asdict(row), "ratio": row.ratio} for row in rows]
        print(json.dumps({"machine": before, "rows": report}, indent=2))
    else:
        _print_table(before, rows)


def progress(text: str) -> None:
    """Tell whoever waits, where the report does not go."""
    print(text, file=sys.stderr, flush=True)


def told(rows: list[Row]) -> list[Row]:
    """Tell whoever waits of these rows already, and return them."""
    for row in rows:
        progress(_line(row))
    return rows


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part.replace("_", "")) for part in text.split(","))


def _print_table(before: dict[str, object], rows: list[Row]) -> None:
    print(" ".join(f"{key}={value}" for key, value in before.items()))
    width = max((len(row.name) for row in rows), default=0)
    for row in rows:
        print(_line(row, width))


def _line(row: Row, width: int = 0) -> str:
    ratio = "" if row.ratio is None else f"x {row.ratio:.3f}"
    around = " ".join(
        f"{key}={value}"
        for key, value in (
            ("N", row.n), ("seed", row.seed), ("repeats", row.repeats), ("load", row.load)
        )
        if value is not None
    )  # fmt: skip
    return (
        f"{row.name:{width}}  {row.value:10.3f} {row.unit:4} {row.rival_value:10.3f} "
        f"{row.unit:4} {row.rival:28} {ratio:9} [{around}] {row.note}".rstrip()
    )
