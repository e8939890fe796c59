"""Put right what a snapshot's killed run left: machines it had paused, a folder half filled."""

from __future__ import annotations

from labctl.hypervisor.api import DomainState, Hypervisor
from labctl.model.paths import LabPaths
from labctl.model.snapshot import Manifest
from labctl.ops.belongings import domains_of
from labctl.ops.capture import together
from labctl.ops.context import Context
from labctl.ops.events import Notice
from labctl.ops.snapshots import Snapshots


def recover_snapshots(ctx: Context, hypervisor: Hypervisor, paths: LabPaths) -> None:
    """Resume what an unfinished snapshot had paused and remove what there is of it, and say so.

    The caller holds the lab's lock.
    """
    snapshots = Snapshots(paths)
    for manifest in snapshots.all():
        if not manifest.complete:
            resumed = undo(hypervisor, snapshots, manifest)
            ctx.emit(Notice(_told(manifest.name, resumed)))
    snapshots.sweep()


def undo(hypervisor: Hypervisor, snapshots: Snapshots, manifest: Manifest) -> tuple[str, ...]:
    """Resume those of its nodes that are paused, then remove the snapshot; the nodes resumed.

    In this order, so that a run killed here leaves the next one what it needs to know.
    """
    domains = domains_of(manifest.lab, hypervisor.domains())
    paused = tuple(
        node
        for node in manifest.running
        if node in domains and domains[node].state is DomainState.PAUSED
    )
    together([domains[node].name for node in paused], hypervisor.resume, [])
    snapshots.remove(manifest.name)
    return paused


def _told(name: str, resumed: tuple[str, ...]) -> str:
    ran_on = f"; resumed {', '.join(resumed)}" if resumed else ""
    return f"removed snapshot {name}, which an earlier run had not finished{ran_on}"
