"""`up` of a thousand nodes that are all as the file wants: how long until it says so.

Against libvirt's test driver, in one process: its `test:///default` lives no longer than the
connections of its process. labctl makes the thousand domains itself first, and one connection is
kept so that they stay; each measured run is the whole `labctl.ops.up.up`, with a connection of its
own: load, survey, preflight, plan. What the process needs to start is bench/startup.py's.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from statistics import median

from bench import ROOT, labs
from bench.measure import run
from bench.result import Figure, Result
from labctl.hypervisor.connect import connect
from labctl.model.paths import Home
from labctl.ops.context import Context
from labctl.ops.up import up

_LIMIT = 2.0
_ROUNDS = 5
_SPINES, _LEAVES = 8, 992
_URI = "test:///default"


def measure() -> Result:
    """CPU seconds of a run, which has one thread, and how long it took by the clock."""
    with labs.home() as folder:
        file = folder / "noop.yaml"
        file.write_text(labs.fabric("noop", _SPINES, _LEAVES))
        report = folder / "times.json"
        run([sys.executable, "-m", "bench.noop", str(folder), str(report)], cwd=ROOT)
        times = json.loads(report.read_text())
    return Result(
        "noop",
        (Figure(f"no-op up of {_SPINES + _LEAVES} nodes, CPU", median(times["cpu"]), _LIMIT, "s"),),
        {"no-op up, CPU": times["cpu"], "no-op up": times["wall"]},
        (f"by the clock {min(times['wall']):.2f} s at best; test driver, in one process",),
    )


def main(folder: Path, report: Path) -> None:
    """Make the lab, then time runs that have nothing to do."""
    context = Context(Home(folder / "home"), _URI, connect)
    file = str(folder / "noop.yaml")
    keeper = connect(_URI)
    up(context, file, paused=True)
    times: dict[str, list[float]] = {"cpu": [], "wall": []}
    for _ in range(_ROUNDS):
        cpu, wall = time.process_time(), time.perf_counter()
        result = up(context, file, paused=True)
        times["cpu"].append(time.process_time() - cpu)
        times["wall"].append(time.perf_counter() - wall)
        assert result.plan.empty, result.plan.actions[:3]
    report.write_text(json.dumps(times))
    keeper.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
