"""How fast labctl answers: `--help` against its libraries alone, `status` against a bare script."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from statistics import median

from bench import ROOT, labs
from bench.measure import LABCTL, Run, in_turns, run
from bench.result import Figure, Result
from harness.libvirtd import private_libvirtd

_LIMIT = 1.5
_ROUNDS = 31
_LABS = {"six": (2, 4), "four": (2, 2)}


def measure() -> Result:
    """Both ratios, of medians of runs taken in turns."""
    helps, libraries = in_turns(
        _ROUNDS,
        partial(run, [*LABCTL, "--help"]),
        partial(run, [sys.executable, "-c", "import typer, rich.console"]),
    )
    with labs.home() as folder, private_libvirtd() as libvirtd:
        statuses, scripts = _statuses(folder, libvirtd.uri)
    return Result(
        "startup",
        (
            Figure("labctl --help / import typer, rich.console", _ratio(helps, libraries), _LIMIT),
            Figure("labctl status / bare libvirt-python", _ratio(statuses, scripts), _LIMIT),
        ),
        {
            "help": _seconds(helps),
            "import typer, rich.console": _seconds(libraries),
            "status": _seconds(statuses),
            "bare status": _seconds(scripts),
        },
        ("status with two labs up, of 6 and 4 paused domains",),
    )


def _statuses(folder: Path, uri: str) -> tuple[list[Run], ...]:
    env = {"LABCTL_HOME": str(folder / "home")}
    for name, (spines, leaves) in _LABS.items():
        file = folder / f"{name}.yaml"
        file.write_text(labs.fabric(name, spines, leaves) + labs.PAUSED)
        run([*LABCTL, "-q", "-c", uri, "up", "--paused", str(file)], env=env)
    script = str(ROOT / "bench/bare/status.py")
    return in_turns(
        _ROUNDS,
        partial(run, [*LABCTL, "-c", uri, "status"], env=env),
        partial(run, [sys.executable, script, "--connect", uri, "--home", env["LABCTL_HOME"]]),
    )


def _ratio(one: list[Run], other: list[Run]) -> float:
    return median(_seconds(one)) / median(_seconds(other))


def _seconds(runs: list[Run]) -> list[float]:
    return [taken.wall for taken in runs]
