"""Rows of figures, as a table or as JSON."""

from __future__ import annotations

import argparse
import json
import os
import platform
from collections.abc import Callable
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Row:
    """One figure beside its rival's; the ratio is value / rival_value."""

    name: str
    value: float
    unit: str
    rival: str
    rival_value: float

    @property
    def ratio(self) -> float:
        """How many times the rival's figure ours is."""
        return self.value / self.rival_value


def machine() -> dict[str, object]:
    """Return what the figures depend on."""
    return {
        "processor": platform.machine(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "load_average": round(os.getloadavg()[0], 2),
    }


def main(name: str, measure: Callable[..., list[Row]]) -> None:
    """Parse the command line, measure and print."""
    parser = argparse.ArgumentParser(prog=f"python -m benchmarks.{name}")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    parser.add_argument("--quick", action="store_true", help="less than a minute")
    options = parser.parse_args()
    rows = measure(quick=options.quick)
    if options.json:
        report = [{**asdict(row), "ratio": round(row.ratio, 3)} for row in rows]
        print(json.dumps({"machine": machine(), "rows": report}, indent=2))
    else:
        _print_table(rows)


def _print_table(rows: list[Row]) -> None:
    print(" ".join(f"{key}={value}" for key, value in machine().items()))
    width = max(len(row.name) for row in rows)
    for row in rows:
        print(
            f"{row.name:{width}}  {row.value:10.3f} {row.unit:4} {row.rival_value:10.3f} "
            f"{row.unit:4} {row.rival:28} x {row.ratio:.3f}"
        )
