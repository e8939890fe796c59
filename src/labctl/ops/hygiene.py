"""Every lab, the image store, every pool and hypervisor: what rots there. Changes nothing."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from labctl.errors import HypervisorError, LabctlError
from labctl.hygiene import gather
from labctl.hygiene.checks import check
from labctl.hygiene.facts import ConnectionFact, Facts, LabFact, Sizing
from labctl.model.hygiene import HygieneReport
from labctl.model.paths import Home
from labctl.ops import usage
from labctl.ops.context import Context
from labctl.ops.journal import unfinished
from labctl.ops.load import load_lab
from labctl.ops.lock import holder
from labctl.ops.snapshots import Snapshots

OPERATION = "hygiene"


def hygiene(ctx: Context, also: Sequence[str] = ()) -> HygieneReport:
    """All findings, on the run's hypervisor and those of `also`; free room is kept in mind."""
    facts = look(ctx, also)
    usage.record(ctx.home, facts.now, facts.rooms)
    return check(facts)


def look(ctx: Context, also: Sequence[str] = ()) -> Facts:
    """The facts. A hypervisor that can't be reached is a fact too, and keeps no other back."""
    home = ctx.home
    connections = {each.uri: each for each in (_ask(ctx, uri) for uri in (ctx.uri, *also))}
    seen = tuple(connections.values())
    return Facts(
        now=(now := time.time()),
        home=home.folder,
        connections=seen,
        labs=tuple(_lab(home, folder.name) for folder in sorted(home.labs.glob("*/"))),
        store=gather.store(home.images, now),
        leftovers=gather.leftovers(home, _stale_locks(home)),
        pool_overlays=gather.pool_overlays(seen, home),
        rooms=gather.rooms(home, seen),
        history=usage.history(home),
        apparmor=gather.apparmor(),
    )


def _ask(ctx: Context, uri: str | None) -> ConnectionFact:
    try:
        with contextlib.closing(ctx.connect(uri)) as hypervisor:
            return gather.connection(hypervisor)
    except HypervisorError as error:
        from labctl.hypervisor.connect import default_uri

        return ConnectionFact(uri or default_uri(), trouble=(error.brief,))


def _lab(home: Home, name: str) -> LabFact:
    paths = home.lab(name)
    held = holder(paths.lock)
    left = () if held else unfinished(paths.journal)
    snapshots = Snapshots(paths)
    whole = {manifest.name for manifest in snapshots.all() if manifest.complete}
    return gather.lab(
        paths,
        nodes=_nodes(home, name),
        incomplete=() if held else tuple(n for n in snapshots.names() if n not in whole),
        damaged={name: damage for name in sorted(whole) if (damage := snapshots.damage(name))},
        unfinished=tuple(map(str, left)),
        own_unfinished=any(step.operation == OPERATION for step in left),
        locked_by=str(held or ""),
    )


def _nodes(home: Home, name: str) -> Mapping[str, Sizing] | None:
    try:
        lab = load_lab(str(home.lab(name).topology), home)
    except (LabctlError, ValueError, KeyError):
        return None
    return {node.name: Sizing(node.memory, node.vcpus) for node in lab.nodes}


def _stale_locks(home: Home) -> list[Path]:
    found = [*home.labs.glob("*.lock"), *home.locks.glob("*.lock")]
    return [path for path in sorted(found) if holder(path) is None and path.exists()]
