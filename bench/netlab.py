"""The same fabric by labctl and by netlab (PyPI networklab): 4 spines, 64 leaves.

Intent: OSPF underlay, iBGP EVPN with the spines as route reflectors, one VRF, two VLAN/VXLAN
networks with gateways on every leaf. Both write all configurations and what the hypervisor needs:
labctl domain XML, netlab (provider libvirt, device nxos) a Vagrantfile. Both are whole processes
with one thread, so their CPU seconds are compared. Memory is compared above what each takes for a
fabric of one spine and one leaf (docs/adr/0008): Python and jinja2 alone take more than a tenth of
all that netlab takes.
"""

from __future__ import annotations

import os
import subprocess
import sys
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
_ROUNDS = 5
_SPINES, _LEAVES = 4, 64
_RELEASE = "26.10"
_INSTALL_SECONDS = 600
_cpu, _memory = attrgetter("cpu"), attrgetter("memory")


def measure() -> Result:
    """How many times faster labctl is, and its share of the memory netlab takes for the fabric."""
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
        small, small_netlab, ours, theirs, libraries = in_turns(_ROUNDS, *tasks, _libraries)
    fabric, fabric_netlab = _above(ours, small, _memory), _above(theirs, small_netlab, _memory)
    return Result(
        "netlab",
        (
            Figure(
                f"netlab create {_SPINES}x{_LEAVES} / labctl render, CPU",
                _median(theirs, _cpu) / _median(ours, _cpu),
                _FASTER,
                at_least=True,
            ),
            Figure("memory above 1x1, labctl / netlab", fabric / fabric_netlab, _SHARE),
        ),
        {
            "labctl": list(map(_cpu, ours)),
            "netlab": list(map(_cpu, theirs)),
            "import jinja2, yaml": list(map(_cpu, libraries)),
            "labctl, MiB": list(map(_memory, ours)),
            "netlab, MiB": list(map(_memory, theirs)),
            "import jinja2, yaml, MiB": list(map(_memory, libraries)),
        },
        (
            f"above 1x1: {fabric:.1f} MiB to {fabric_netlab:.0f} MiB, in CPU time 1 to "
            f"{_above(theirs, small_netlab, _cpu) / _above(ours, small, _cpu):.0f}",
            f"whole processes: {_whole(ours, theirs)} of netlab's memory, not a tenth; "
            f"Python with jinja2 and yaml loaded: {_whole(libraries, theirs)}",
        ),
    )


def _median(runs: list[Run], what: Callable[[Run], float]) -> float:
    return median(map(what, runs))


def _whole(ours: list[Run], theirs: list[Run]) -> str:
    memory = _median(ours, _memory)
    return f"{memory:.1f} MiB, {memory / _median(theirs, _memory):.2f}"


def _above(runs: list[Run], small: list[Run], what: Callable[[Run], float]) -> float:
    """What the fabric's size adds to a program's start."""
    return _median(runs, what) - _median(small, what)


def _libraries() -> Run:
    """The least that a program can take which reads YAML and fills templates."""
    return run([sys.executable, "-I", "-c", "import jinja2, yaml"])


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
