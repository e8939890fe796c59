"""What there is: labs, nodes, phases, ages, chain depth. Reads only."""

from __future__ import annotations

import contextlib
import time
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

from labctl.errors import ImageError
from labctl.hypervisor.api import DomainState, ObservedDomain
from labctl.images.chain import depth
from labctl.model.lab import Role
from labctl.model.paths import LabPaths, NodePaths
from labctl.model.platform import Platform
from labctl.ops.boot import boot_state
from labctl.ops.context import Context
from labctl.ops.journal import unfinished
from labctl.ops.load import lab_name
from labctl.ops.lock import holder
from labctl.ops.results import LabStatus, NodeStatus
from labctl.topology.platforms import load_platforms

_HEALTHY_DEPTH = 1


def status(ctx: Context, ref: str | None = None) -> tuple[LabStatus, ...]:
    """Every lab on the hypervisor, or the one `ref` means (without nodes when it isn't there)."""
    wanted = lab_name(ref, ctx.home) if ref is not None else None
    with contextlib.closing(ctx.connect(ctx.uri)) as hypervisor:
        uri = hypervisor.uri
        labs: dict[str, list[ObservedDomain]] = defaultdict(list)
        for domain in hypervisor.domains():
            if domain.metadata is not None:
                labs[domain.metadata.lab].append(domain)
    for folder in ctx.home.labs.glob("*/"):
        labs.setdefault(folder.name, [])
    names = sorted(labs) if wanted is None else [wanted]
    platforms = load_platforms()
    return tuple(
        _lab(name, uri, labs.get(name, []), ctx.home.lab(name), platforms) for name in names
    )


def _lab(
    name: str,
    uri: str,
    domains: list[ObservedDomain],
    paths: LabPaths,
    platforms: Mapping[str, Platform],
) -> LabStatus:
    held = holder(paths.lock)
    cut_off = "" if held else "; ".join(map(str, unfinished(paths.journal)))
    nodes = tuple(_node(domain, paths, platforms) for domain in sorted(domains, key=_rank))
    return LabStatus(name, uri, nodes, str(held or ""), cut_off)


def _rank(domain: ObservedDomain) -> tuple[int, int, str]:
    """Spines first, then leaves, borders, hosts; leaf-10 after leaf-2."""
    roles = [role.value for role in Role]
    mark = domain.metadata
    role = roles.index(mark.role) if mark and mark.role in roles else len(roles)
    return role, len(domain.name), domain.name


def _node(domain: ObservedDomain, paths: LabPaths, platforms: Mapping[str, Platform]) -> NodeStatus:
    mark = domain.metadata
    assert mark is not None  # _lab is given marked domains only
    files = paths.node(mark.node)
    platform = platforms.get(mark.platform)
    running = domain.state is DomainState.RUNNING
    phase, problems = "", []
    if running and platform and (boot := boot_state(files.console_log, platform)):
        phase = "ready" if boot.ready else boot.phase
        if boot.errors:
            problems.append(f"{boot.errors} line(s) of its day-0 failed")
        if boot.fault:
            problems.append(boot.fault)
    chain, complaint = _chain(files)
    if complaint:
        problems.append(complaint)
    return NodeStatus(
        node=mark.node,
        role=mark.role,
        platform=mark.platform,
        state=domain.state.value,
        phase=phase,
        memory=domain.memory,
        vcpus=domain.vcpus,
        age=_since(files.day0),
        uptime=_since(files.started) if running else None,
        chain_depth=chain,
        problems=tuple(problems),
    )


def _chain(files: NodePaths) -> tuple[int | None, str]:
    """The chain's depth and what is wrong with it."""
    try:
        layers = depth(files.overlay)
    except ImageError as error:
        return None, error.brief
    if layers > _HEALTHY_DEPTH:
        return layers, f"its disk stands on {layers} layers: somebody took external snapshots"
    return layers, ""


def _since(path: Path) -> float | None:
    try:
        return max(0.0, time.time() - path.stat().st_mtime)
    except OSError:
        return None
