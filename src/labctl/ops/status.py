"""What there is: labs, nodes, phases, ages, chain depth. Reads only."""

from __future__ import annotations

import contextlib
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from labctl.errors import ImageError
from labctl.hypervisor.observed import DomainState, ObservedDomain
from labctl.images.chain import HEALTHY_DEPTH, chain, walk
from labctl.ops.journal import unfinished
from labctl.ops.labs import no_such_lab, other_home, rank
from labctl.ops.lock import holder
from labctl.ops.restore_marker import marker
from labctl.ops.snapshot_summary import summary
from labctl.ops.state import LabStatus, NodeStatus

if TYPE_CHECKING:  # status starts fast: what only annotations or some labs need comes later
    from labctl.model.paths import Home, LabPaths, NodePaths
    from labctl.model.platform import Platform
    from labctl.ops.context import Context

_ANY_WRITE = 0o222


def status(ctx: Context, ref: str | None = None) -> tuple[LabStatus, ...]:
    """Every lab on the hypervisor, or the one `ref` means (without nodes when it isn't up).

    Raises UsageError for a name, rather than a file, of a lab that isn't there.
    """
    wanted = _wanted(ref, ctx) if ref is not None else None
    with contextlib.closing(ctx.connect(ctx.uri)) as hypervisor:
        uri = hypervisor.uri
        labs: dict[str, list[ObservedDomain]] = defaultdict(list)
        for domain in hypervisor.domains():
            if domain.metadata is not None:
                labs[domain.metadata.lab].append(domain)
    for folder in ctx.home.labs.glob("*/"):
        labs.setdefault(folder.name, [])
    if wanted and wanted == ref and wanted not in labs and not holder(ctx.home.lab(wanted).lock):
        raise no_such_lab(f"there is no lab {wanted!r} on {uri}", wanted, labs)
    names = sorted(labs) if wanted is None else [wanted]
    chosen = {name: labs.get(name, []) for name in names}
    platforms = _platforms(chosen.values())
    return tuple(_lab(name, uri, domains, ctx.home, platforms) for name, domains in chosen.items())


def _wanted(ref: str, ctx: Context) -> str:
    from labctl.ops.load import lab_name

    return lab_name(ref, ctx.home)


def _platforms(labs: Iterable[Iterable[ObservedDomain]]) -> Mapping[str, Platform]:
    """The platforms, where there is a console to follow; else none, which takes no YAML."""
    if not any(domain.state is DomainState.RUNNING for domains in labs for domain in domains):
        return {}
    from labctl.topology.platforms import load_platforms

    return load_platforms()


def _lab(
    name: str,
    uri: str,
    domains: list[ObservedDomain],
    home: Home,
    platforms: Mapping[str, Platform],
) -> LabStatus:
    paths = home.lab(name)
    domains = sorted(domains, key=rank)
    if elsewhere := other_home(domains, home):
        nodes = tuple(_node(domain, None, platforms) for domain in domains)
        return LabStatus(name, uri, nodes, home=elsewhere)
    held = holder(paths.lock)
    cut_off = "" if held else _cut_off(paths)
    nodes = tuple(_node(domain, paths, platforms) for domain in domains)
    return LabStatus(
        name, uri, nodes, str(held or ""), cut_off, snapshots=summary(paths.snapshots, time.time())
    )


def _cut_off(paths: LabPaths) -> str:
    """What an earlier run left half-done, "" for nothing."""
    left = [str(step) for step in unfinished(paths.journal)]
    if begun := marker(paths):
        left.append(f"snapshot {begun.snapshot} is put back in part")
    return "; ".join(left)


def _node(
    domain: ObservedDomain, paths: LabPaths | None, platforms: Mapping[str, Platform]
) -> NodeStatus:
    """The node; without what files tell where there are no `paths`."""
    mark = domain.metadata
    assert mark is not None  # _lab is given marked domains only
    files = paths.node(mark.node) if paths else None
    running = domain.state is DomainState.RUNNING
    phase, chain, problems = "", None, list[str]()
    if files:
        if running and (platform := platforms.get(mark.platform)):
            phase, problems = _phase(files, platform, mark.node)
        chain, complaint = _chain(_top_disk(domain, files.overlay))
        problems += [complaint] if complaint else []
    if domain.memory < mark.memory_floor:
        problems.append(
            f"undersized: {domain.memory} MiB, its software needs {mark.memory_floor} MiB; "
            "it may drop routes while its sessions stay Established"
        )
    problems += [
        f"{interface} is unplugged: labctl link {mark.lab} {mark.node}:{interface} up"
        for interface in domain.unplugged()
    ]
    return NodeStatus(
        node=mark.node,
        role=mark.role,
        platform=mark.platform,
        state=domain.state.value,
        phase=phase,
        memory=domain.memory,
        vcpus=domain.vcpus,
        age=_since(files.day0) if files else None,
        uptime=_since(files.started) if files and running else None,
        chain_depth=chain,
        problems=tuple(problems),
    )


def _phase(files: NodePaths, platform: Platform, node: str) -> tuple[str, list[str]]:
    """How far its console says that the node has come, and what went wrong on the way."""
    from labctl.ops.boot import boot_state

    boot = boot_state(files.console_log, platform, node)
    if boot is None:
        return "", []
    problems = [boot.fault] if boot.fault else []
    if boot.errors:
        problems.insert(0, f"{boot.errors} line(s) of its day-0 failed")
    return "ready" if boot.ready else boot.phase, problems


def _top_disk(domain: ObservedDomain, overlay: Path) -> Path:
    """The disk that the machine runs on: its overlay, or what others put on top of that."""
    if str(overlay) in domain.disks:
        return overlay
    disks = map(Path, domain.disks)
    return next((disk for disk in disks if overlay in walk(disk).paths), overlay)


def _chain(disk: Path) -> tuple[int | None, str]:
    """The chain's depth and what is wrong with it."""
    try:
        *above, golden = chain(disk)
        layers = len(above)
    except ImageError as error:
        return None, error.brief
    if layers > HEALTHY_DEPTH:
        return layers, f"its disk stands on {layers} layers: somebody took external snapshots"
    if layers and golden.stat().st_mode & _ANY_WRITE:
        return layers, f"its golden image is writable: `chmod a-w {golden}`"
    return layers, ""


def _since(path: Path) -> float | None:
    try:
        return max(0.0, time.time() - path.stat().st_mtime)
    except OSError:
        return None
