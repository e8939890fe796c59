"""The same fabric by labctl and by netlab (PyPI networklab): 4 spines, 64 leaves.

Intent: OSPF underlay, iBGP EVPN with the spines as route reflectors, one VRF, two VLAN/VXLAN
networks with gateways on every leaf. Both write all configurations and what the hypervisor needs:
labctl domain XML, netlab (provider libvirt, device nxos) a Vagrantfile. Both are whole processes
with one thread, so their CPU seconds are compared.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
import venv
from collections.abc import Callable
from functools import partial
from operator import attrgetter
from pathlib import Path
from statistics import median

from bench import labs
from bench.measure import LABCTL, Run, in_turns, run
from bench.result import Figure, Result

_FASTER = 50.0
_SHARE = 0.1
_ROUNDS = 3
_SPINES, _LEAVES = 4, 64
_RELEASE = "26.10"
_INSTALL_SECONDS = 600
_cpu, _memory = attrgetter("cpu"), attrgetter("memory")


def measure() -> Result:
    """How many times faster labctl is, and its share of netlab's memory."""
    try:
        tools = _installed()
    except subprocess.SubprocessError as error:
        return Result("netlab", missing=f"networklab {_RELEASE} can't be installed: {error}")
    with labs.scratch() as folder:
        sizes = ((1, 1), (_SPINES, _LEAVES))
        tasks = [
            partial(task, folder, *size)
            for size in sizes
            for task in (_labctl, partial(_netlab, tools))
        ]
        small, small_netlab, ours, theirs = in_turns(_ROUNDS, *tasks)
    samples = {
        "labctl": [taken.cpu for taken in ours],
        "netlab": [taken.cpu for taken in theirs],
        "labctl, MiB": [taken.memory for taken in ours],
        "netlab, MiB": [taken.memory for taken in theirs],
    }
    middle = {label: median(values) for label, values in samples.items()}
    return Result(
        "netlab",
        (
            Figure(
                f"netlab create {_SPINES}x{_LEAVES} / labctl render, CPU",
                middle["netlab"] / middle["labctl"],
                _FASTER,
                at_least=True,
            ),
            Figure(
                "peak memory, labctl / netlab",
                middle["labctl, MiB"] / middle["netlab, MiB"],
                _SHARE,
            ),
        ),
        samples,
        (
            "above the same command on 1x1: "
            f"time {_above(theirs, small_netlab, _cpu) / _above(ours, small, _cpu):.0f} to 1, "
            f"memory {_above(ours, small, _memory):.1f} MiB "
            f"to {_above(theirs, small_netlab, _memory):.0f} MiB",
        ),
    )


def _above(runs: list[Run], small: list[Run], what: Callable[[Run], float]) -> float:
    """What the fabric's size adds to a program's start."""
    return median(map(what, runs)) - median(map(what, small))


def _labctl(folder: Path, spines: int, leaves: int) -> Run:
    file = folder / "labctl.yaml"
    file.write_text(labs.fabric("same", spines, leaves))
    env = {"LABCTL_HOME": str(folder / "home")}
    with tempfile.TemporaryDirectory(dir=folder) as output:
        return run([*LABCTL, "render", str(file), f"{output}/lab"], env=env)


def _netlab(tools: Path, folder: Path, spines: int, leaves: int) -> Run:
    env = {"PATH": f"{tools}:{os.environ['PATH']}"}
    with tempfile.TemporaryDirectory(dir=folder) as output:
        (Path(output) / "topology.yml").write_text(_topology(spines, leaves))
        return run([str(tools / "netlab"), "create", "topology.yml"], env=env, cwd=Path(output))


def _topology(spines: int, leaves: int) -> str:
    """netlab's file for the intent above."""
    spine = [f"s{n}" for n in range(1, spines + 1)]
    leaf = [f"l{n}" for n in range(1, leaves + 1)]
    links = ", ".join(f"{one}-{other}" for other in leaf for one in spine)
    return f"""
provider: libvirt
defaults.device: nxos
bgp.as: 65000
vrfs:
  tenant-a: {{evpn.transit_vni: 50001}}
vlans:
  web: {{id: 10, vni: 10010, vrf: tenant-a, mode: irb, prefix: 10.10.10.0/24}}
  db: {{id: 20, vni: 10020, vrf: tenant-a, mode: irb, prefix: 10.10.20.0/24}}
groups:
  spines:
    module: [ospf, bgp, evpn]
    bgp.rr: True
    members: [{", ".join(spine)}]
  leaves:
    module: [ospf, bgp, vlan, vxlan, evpn, vrf]
    vlans: {{web: {{}}, db: {{}}}}
    members: [{", ".join(leaf)}]
nodes: [{", ".join([*spine, *leaf])}]
links: [{links}]
"""


def _installed() -> Path:
    """The folder of netlab's programs, in a virtual environment of their own below the cache."""
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = base / f"labctl/bench/networklab-{_RELEASE}"
    stamp = folder / "complete"
    if not stamp.exists():
        venv.create(folder, with_pip=True, clear=True)
        subprocess.run(
            [folder / "bin/pip", "install", "--quiet", f"networklab=={_RELEASE}"],
            check=True,
            timeout=_INSTALL_SECONDS,
            capture_output=True,
        )
        stamp.touch()
    return folder / "bin"
