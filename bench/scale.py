"""Large fabrics: `labctl validate` and `labctl render` of up to 1,000 nodes, all files written.

And how that grows: three fabrics, each with four times the links of the one before. Both programs
have one thread and wait for nothing, so CPU seconds are what they take on a core of their own; on a
busy machine the clock would tell how busy it is.
"""

from __future__ import annotations

import tempfile
from functools import partial
from itertools import pairwise
from pathlib import Path
from statistics import median

from bench import labs
from bench.measure import LABCTL, Run, in_turns, run
from bench.result import Figure, Result

_SECONDS, _MEBIBYTES = 5.0, 300.0
_GROWTH = 1.0
_ROUNDS = 3
_SIZES = ((4, 246), (8, 492), (16, 984))
_ROUTINGS = ("ospf", "ebgp")


def measure() -> Result:
    """Seconds, MiB and seconds per link; both underlays at full size."""
    with labs.scratch() as folder:
        cases = [(*size, _ROUTINGS[0]) for size in _SIZES] + [(*_SIZES[-1], _ROUTINGS[1])]
        taken = in_turns(_ROUNDS, *(partial(_both, folder, *case) for case in cases))
    labels = [f"{spines}x{leaves} {routing}" for spines, leaves, routing in cases]
    samples = {
        label: [one.cpu + other.cpu for one, other in runs]
        for label, runs in zip(labels, taken, strict=True)
    }
    walls = [one.wall + other.wall for one, other in taken[2]]
    rates = [
        median(samples[label]) / (spines * leaves)
        for label, (spines, leaves) in zip(labels, _SIZES, strict=False)
    ]
    growth = max(later / earlier for earlier, later in pairwise(rates))
    memory = max(run.memory for runs in taken[2:] for pair in runs for run in pair)
    full = [
        Figure(f"validate + render of {label}, CPU", median(samples[label]), _SECONDS, "s")
        for label in labels[2:]
    ]
    return Result(
        "scale",
        (
            *full,
            Figure("its peak memory", memory, _MEBIBYTES, "MiB"),
            Figure("time per link at four times the links", growth, _GROWTH),
        ),
        samples,
        (
            "microseconds per link: "
            + ", ".join(
                f"{rate * 1e6:.0f} at {label}" for label, rate in zip(labels, rates, strict=False)
            ),
            "microseconds for each further link: "
            + ", ".join(f"{rate * 1e6:.0f}" for rate in _further(samples, labels)),
            f"wall clock of {labels[2]}: {min(walls):.1f} s at best",
        ),
    )


def _further(samples: dict[str, list[float]], labels: list[str]) -> list[float]:
    """CPU seconds per link that the next size has more, so without what starting up takes."""
    points = [
        (spines * leaves, median(samples[label]))
        for label, (spines, leaves) in zip(labels, _SIZES, strict=False)
    ]
    return [(t2 - t1) / (n2 - n1) for (n1, t1), (n2, t2) in pairwise(points)]


def _both(folder: Path, spines: int, leaves: int, routing: str) -> tuple[Run, Run]:
    """Two whole processes: validate, then render into a new folder."""
    file = folder / "lab.yaml"
    file.write_text(labs.fabric("large", spines, leaves, routing))
    env = {"LABCTL_HOME": str(folder / "home")}
    validate = run([*LABCTL, "validate", str(file)], env=env)
    with tempfile.TemporaryDirectory(dir=folder) as output:
        return validate, run([*LABCTL, "render", str(file), f"{output}/lab"], env=env)
