"""Fifty machines up and gone again: labctl against a bare loop that makes the same domains.

The bare loop is given what labctl has to make: its XML, disks and day-0 media are there before
its clock starts. Both are whole processes with as many threads.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from statistics import median

import libvirt

from bench import ROOT, labs
from bench.measure import LABCTL, Run, in_turns, run
from bench.result import Figure, Result
from harness.libvirtd import private_libvirtd

_LIMIT = 1.25
_ROUNDS = 3
_SPINES, _LEAVES = 2, 48
_THREADS = 8
"""As many as labctl takes (labctl.ops.up, labctl.ops.destroy)."""
_LAB = "fifty"


def measure() -> Result:
    """The ratio of up and destroy together, of medians of runs taken in turns."""
    with labs.home() as folder, private_libvirtd() as libvirtd:
        contest = _Contest(folder, libvirtd.uri)
        contest.prepare()
        ours, bare = in_turns(_ROUNDS, contest.labctl, contest.bare)
    samples = {
        "up": [up.wall for up, _ in ours],
        "bare up": [up.wall for up, _ in bare],
        "destroy": [destroy.wall for _, destroy in ours],
        "bare destroy": [destroy.wall for _, destroy in bare],
    }
    middle = {label: median(seconds) for label, seconds in samples.items()}
    ratio = (middle["up"] + middle["destroy"]) / (middle["bare up"] + middle["bare destroy"])
    return Result(
        "lifecycle",
        (Figure(f"up + destroy of {_SPINES + _LEAVES} paused domains / bare loop", ratio, _LIMIT),),
        samples,
        (
            f"up {middle['up'] / middle['bare up']:.2f}, "
            f"destroy {middle['destroy'] / middle['bare destroy']:.2f}; {_THREADS} threads each",
        ),
    )


class _Contest:
    """One libvirtd, one lab, two ways to make it."""

    def __init__(self, folder: Path, uri: str) -> None:
        self._uri = uri
        self._env = {"LABCTL_HOME": str(folder / "home")}
        self._file = folder / f"{_LAB}.yaml"
        self._file.write_text(labs.fabric(_LAB, _SPINES, _LEAVES) + labs.PAUSED)
        self._made = folder / "home/labs" / _LAB
        self._kept = folder / "kept"
        self._xml = folder / "xml"

    def prepare(self) -> None:
        """Let labctl make the lab once and keep what it made, for the bare loop."""
        self._up()
        (self._xml / "domains").mkdir(parents=True)
        connection = libvirt.open(self._uri)
        for domain in connection.listAllDomains():
            text = domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE)
            (self._xml / f"domains/{domain.name()}.xml").write_text(text)
        for network in connection.listAllNetworks():
            text = network.XMLDesc(libvirt.VIR_NETWORK_XML_INACTIVE)
            (self._xml / "network.xml").write_text(text)
        connection.close()
        shutil.copytree(self._made, self._kept)
        self._destroy()

    def labctl(self) -> tuple[Run, Run]:
        """Up and destroy with labctl."""
        return self._up(), self._destroy()

    def bare(self) -> tuple[Run, Run]:
        """Up and destroy with the bare loop."""
        shutil.copytree(self._kept, self._made)
        times = self._script("up"), self._script("destroy")
        shutil.rmtree(self._made)
        return times

    def _up(self) -> Run:
        return self._labctl("up", "--paused", str(self._file))

    def _destroy(self) -> Run:
        return self._labctl("destroy", "--yes", _LAB)

    def _labctl(self, *words: str) -> Run:
        return run([*LABCTL, "-q", "-c", self._uri, *words], env=self._env)

    def _script(self, verb: str) -> Run:
        script = str(ROOT / "bench/bare/lifecycle.py")
        return run([sys.executable, script, verb, self._uri, str(self._xml), str(_THREADS)])
