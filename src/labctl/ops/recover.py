"""Put right what a killed run left, before anything else is done to the lab."""

from __future__ import annotations

from labctl.atomic import remove_parts
from labctl.hypervisor.api import Hypervisor
from labctl.model.paths import LabPaths
from labctl.ops.context import Context
from labctl.ops.events import Notice
from labctl.ops.journal import Journal, unfinished
from labctl.ops.lock import port_lock
from labctl.ops.restore_marker import marker
from labctl.ops.restoring import right_clocks, take_on
from labctl.ops.snapshot_recover import recover_snapshots
from labctl.ops.warm_keep import release


def recover(
    ctx: Context, paths: LabPaths, hypervisor: Hypervisor | None = None, *, onward: bool = False
) -> tuple[str, ...]:
    """Throw away half-written files and tell what the killed run had been doing.

    With a `hypervisor`, a snapshot that was being put back is, and unfinished snapshots and states
    for warm starts are undone. Other definitions and machines need no undoing: they are found as
    they are, and a run that goes on (`onward`) plans from there. The caller holds the lab's lock.
    Raises SnapshotError when a snapshot can't be put back, which says where the lab is then.
    """
    steps = unfinished(paths.journal)
    if paths.folder.exists():
        remove_parts(paths.folder)
    for step in steps:
        # What was half done of a snapshot is removed, or put back, which is told by itself.
        goes_on = onward and not step.operation.startswith("snapshot ")
        what_now = "; taking it on from there" if goes_on else ""
        ctx.emit(Notice(f"an earlier run was cut off in {step}{what_now}"))
    if hypervisor is not None:
        if marker(paths) is not None:
            _take_on(ctx, hypervisor, paths)
        recover_snapshots(ctx, hypervisor, paths)
        release(ctx, hypervisor, paths.folder.name)
    return tuple(map(str, steps))


def _take_on(ctx: Context, hypervisor: Hypervisor, paths: LabPaths) -> None:
    with (
        port_lock(ctx.home, hypervisor.uri),
        Journal(paths.journal, "snapshot restore") as journal,
    ):
        whole = take_on(ctx, hypervisor, journal, paths.folder.name)
    if whole is not None:
        right_clocks(ctx, hypervisor, whole)
