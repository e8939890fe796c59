"""Take a lab back to one of its snapshots: prove that it can be, keep the present, put it back."""

from __future__ import annotations

import time

from labctl.errors import SnapshotError
from labctl.hypervisor.api import Hypervisor
from labctl.model.paths import LabPaths
from labctl.model.retention import exceeded
from labctl.model.snapshot import Power
from labctl.ops.context import Context
from labctl.ops.events import Notice, StepDone, StepStarted
from labctl.ops.journal import Journal
from labctl.ops.lock import lab_lock, port_lock
from labctl.ops.present import Present, go_on, keep_present
from labctl.ops.recover import recover
from labctl.ops.restore_proof import Whole, misfits, prove_whole, refused, version_note
from labctl.ops.restoring import again, extra_nodes, left_alone, put_back, right_clocks
from labctl.ops.results import RestoreResult
from labctl.ops.snapshot_lab import found, policy_of
from labctl.ops.snapshots import Snapshots


def restore(
    ctx: Context, ref: str, name: str, *, safety: bool = True, lossy: bool = False
) -> RestoreResult:
    """Put every node of the lab back to the snapshot, all running on at one instant.

    With `safety` the present is kept as a snapshot before; nodes that can't be captured are only
    replaced where it may be `lossy`. Raises UsageError for that, for a snapshot there is not and
    for a lab of another home, SnapshotError with nothing changed when it is not whole or does not
    fit this host, and SnapshotError that says where the lab is now when it could not be put back.
    Interrupted is raised with nothing changed either; once machines are switched off it is done
    to its end.
    """
    started = time.monotonic()
    with (
        found(ctx, ref) as (lab, hypervisor),
        lab_lock(ctx.home, lab, f"snapshot restore {ref} {name}"),
    ):
        paths = ctx.home.lab(lab)
        Snapshots(paths).get(name)
        _recover(ctx, hypervisor, paths)
        with Journal(paths.journal, "snapshot restore") as journal:
            whole = _proved(ctx, hypervisor, lab, name)
            go_on(ctx, lab, name)
            with port_lock(ctx.home, hypervisor.uri):
                if problems := list(misfits(hypervisor, ctx.home, whole)):
                    raise refused(lab, name, problems)
                kept = Present()
                if safety:
                    kept = keep_present(ctx, hypervisor, journal, whole, lossy=lossy)
                go_on(ctx, lab, name)
                removed = extra_nodes(hypervisor, whole)
                alone = left_alone(hypervisor, whole)
                skew = put_back(ctx, hypervisor, journal, whole, again(paths, name, kept.safety))
            late = right_clocks(ctx, hypervisor, whole)
        note = version_note(hypervisor.host(), whole.manifest)
        beyond = _beyond(ctx, lab) if kept.safety else ()
    return RestoreResult(
        lab=lab,
        snapshot=name,
        safety=kept.safety,
        running=_nodes(whole, Power.RUNNING),
        paused=_nodes(whole, Power.PAUSED),
        off=_nodes(whole, Power.OFF),
        removed=removed,
        resume_skew=skew,
        late_clocks=late,
        notes=(*([note] if note else []), *beyond),
        seconds=time.monotonic() - started,
        unkept=kept.unkept,
        left_alone=alone,
    )


def _recover(ctx: Context, hypervisor: Hypervisor, paths: LabPaths) -> None:
    """As every run does; but a restore that can't be taken on is no reason not to do another."""
    try:
        recover(ctx, paths, hypervisor)
    except SnapshotError as error:
        ctx.emit(Notice(error.brief))


def _proved(ctx: Context, hypervisor: Hypervisor, lab: str, name: str) -> Whole:
    ctx.emit(StepStarted("read the snapshot"))
    started = time.monotonic()
    whole = prove_whole(ctx.home, lab, name, width=max(2, hypervisor.host().cpus))
    ctx.emit(StepDone("read the snapshot", time.monotonic() - started))
    return whole


def _beyond(ctx: Context, lab: str) -> tuple[str, ...]:
    """Limits of the retention policy that the lab is beyond, its safety snapshot included."""
    left = [each for each in Snapshots(ctx.home.lab(lab)).all() if each.complete]
    way = f"`labctl snapshot prune {lab} --dry-run` says what can go"
    limits = exceeded(left, policy_of(ctx, lab), now=time.time())
    return tuple(f"the snapshots are beyond a limit: {limit}; {way}" for limit in limits)


def _nodes(whole: Whole, power: Power) -> tuple[str, ...]:
    return tuple(part.node for part in whole.manifest.parts if part.power is power)
