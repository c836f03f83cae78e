"""Just enough of a Dockerfile's structure to say what ends up in an image."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, field


@dataclass
class Stage:
    """One ``FROM ... AS name`` and the instructions after it."""

    base: str
    name: str
    instructions: list[tuple[str, str]] = field(default_factory=list)

    def values(self, instruction: str) -> list[str]:
        return [value for key, value in self.instructions if key == instruction]

    def copied(self) -> list[str]:
        """Return the files copied from the build's folder (not from other stages)."""
        arguments = [shlex.split(value) for value in self.values("COPY")]
        return [name for words in arguments if "--from" not in words[0] for name in words[:-1]]


def stages(text: str) -> dict[str, Stage]:
    """Return the named stages of a Dockerfile."""
    found: dict[str, Stage] = {}
    stage = Stage("", "")
    lines = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    for line in lines.replace("\\\n", " ").splitlines():
        key, _, value = line.partition(" ")
        if key == "FROM":
            base, _, name = value.partition(" AS ")
            stage = found[name] = Stage(base, name)
        elif key:
            stage.instructions.append((key, value.strip()))
    return found


def packages(text: str, target: str) -> str:
    """Return every ``pip install`` whose result is in the target's image, one a line."""
    known = stages(text)
    waiting, seen = [target], {target}
    while waiting:
        stage = known[waiting.pop()]
        sources = {stage.base, *re.findall(r"--from=(\S+)", " ".join(stage.values("COPY")))}
        waiting += [name for name in sources & known.keys() if name not in seen]
        seen |= sources & known.keys()
    runs = [run for name in seen for run in known[name].values("RUN")]
    return "\n".join(run for run in runs if "pip install" in run)
