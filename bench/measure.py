"""Whole processes, measured by the kernel: wall clock, CPU time, peak memory.

What is compared runs in turns, never the one's whole series after the other's: other work on the
machine then weighs on both alike.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from bench import ROOT

LABCTL = (str(Path(sys.executable).with_name("labctl")),)
_LAUNCH = (sys.executable, "-I", "-S", str(ROOT / "bench/launch.py"))
_DEADLINE = 900
_KIB = 1024
_SHOWN = 4000
T = TypeVar("T")


class RunFailed(Exception):
    """A measured program ended with an error, so its time means nothing."""


@dataclass(frozen=True, slots=True)
class Run:
    """One process from start to end: seconds, and MiB of peak resident memory.

    `cpu` and `memory` count the children it waited for too (memory: the largest of them).
    """

    wall: float
    cpu: float
    memory: float


def run(argv: Sequence[str], *, env: Mapping[str, str] | None = None, cwd: Path = ROOT) -> Run:
    """Run `argv` to its end.

    Raises RunFailed with what it printed when it exits non-zero or takes longer than _DEADLINE.
    """
    with tempfile.TemporaryDirectory(prefix="labctl-bench-") as scratch:
        result, output = Path(scratch) / "result", Path(scratch) / "output"
        with output.open("wb") as printed:
            subprocess.run(
                [*_LAUNCH, str(result), str(_DEADLINE), *argv],
                stdin=subprocess.DEVNULL,
                stdout=printed,
                stderr=printed,
                cwd=cwd,
                env={**os.environ, **(env or {})},
                check=True,
            )
        wall, cpu, peak, status = result.read_text().split()
        if int(status):
            words = output.read_text(errors="replace")[-_SHOWN:]
            raise RunFailed(f"{' '.join(argv)} exited {status}:\n{words}")
    return Run(float(wall), float(cpu), int(peak) / _KIB)


def level_memory(folder: Path, mib: int) -> None:
    """Have the kernel's free memory begin with `mib` MiB that it used a moment ago.

    On a machine that is virtual itself, the first touch of memory that its host took back costs
    more than copying into it; whoever runs right after something big ended would be spared that.
    """
    file = folder / "level"
    with file.open("wb") as written:
        for _ in range(mib):
            written.write(bytes(_KIB * _KIB))
    file.unlink()


def in_turns(rounds: int, *tasks: Callable[[], T]) -> tuple[list[T], ...]:
    """Do all tasks one after the other, `rounds` times over; what each gave, task by task."""
    found: tuple[list[T], ...] = tuple([] for _ in tasks)
    for _ in range(rounds):
        for task, results in zip(tasks, found, strict=True):
            results.append(task())
    return found
