"""A warm start against a cold boot: `labctl up` of evpn-2x2, real guests, until verify has passed.

Cold runs neither use nor keep a state, so that each figure is of one thing. Both are whole
processes, taken in turns; the lab is destroyed after each, unmeasured.
"""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path
from statistics import median

from bench import ROOT
from bench.measure import LABCTL, Run, in_turns, run
from bench.result import Figure, Result
from harness.libvirtd import private_libvirtd
from labctl.images.store import FREE_GUEST, ImageStore
from labctl.model.paths import Home
from labctl.ops.warm_cache import LIMIT

_LIMIT = 10.0
_ROUNDS = 5
_LAB = "evpn-2x2"
_FILE = str(ROOT / f"topologies/{_LAB}.yaml")


def measure() -> Result:
    """The ratio of medians."""
    with (
        tempfile.TemporaryDirectory(prefix="labctl-bench-") as name,
        private_libvirtd() as libvirtd,
    ):
        folder = Path(name)
        folder.chmod(0o755)  # QEMU may run as another user
        contest = _Contest(folder, libvirtd.uri)
        contest.up("40 GiB")  # it is kept
        colds, warms = in_turns(_ROUNDS, lambda: contest.up("0"), lambda: contest.up("40 GiB"))
    samples = {"cold": [taken.wall for taken in colds], "warm": [taken.wall for taken in warms]}
    ratio = median(samples["cold"]) / median(samples["warm"])
    figure = Figure(f"cold / warm up of {_LAB}, to verified", ratio, _LIMIT, at_least=True)
    middle = {label: f"{median(seconds):.1f} s" for label, seconds in samples.items()}
    return Result("warm", (figure,), samples, (f"cold {middle['cold']}, warm {middle['warm']}",))


class _Contest:
    """One libvirtd, one home with the free guest in it."""

    def __init__(self, folder: Path, uri: str) -> None:
        self._uri = uri
        self._home = Home(folder / "home")
        self._home.folder.mkdir(mode=0o755)
        built = subprocess.run(
            [ROOT / "lab/guests/frr/build", "--print-path"],
            capture_output=True,
            text=True,
            check=True,
        )
        ImageStore(self._home.images).add(Path(built.stdout.strip()), FREE_GUEST)

    def up(self, limit: str) -> Run:
        """Up to verified, with a cache of that size; then destroyed."""
        taken = self._labctl(limit, "up", _FILE)
        self._labctl(limit, "destroy", "--yes", _LAB)
        return taken

    def _labctl(self, limit: str, *words: str) -> Run:
        env = {"LABCTL_HOME": str(self._home.folder), LIMIT: limit}
        return run([*LABCTL, "-q", "-c", self._uri, *words], env=env)
