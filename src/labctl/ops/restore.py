"""Take a lab back to one of its snapshots: prove that it can be, keep the present, put it back."""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Mapping
from datetime import UTC, datetime

from labctl.errors import ConnectionLost, Interrupted, LabctlError, SnapshotError
from labctl.hypervisor.api import Hypervisor, ObservedDomain
from labctl.model.paths import LabPaths
from labctl.model.snapshot import Kind, Power
from labctl.ops.belongings import domains_of
from labctl.ops.context import Context
from labctl.ops.events import Notice, StepDone, StepStarted
from labctl.ops.journal import Journal
from labctl.ops.load import lab_name
from labctl.ops.lock import lab_lock, port_lock
from labctl.ops.recover import recover
from labctl.ops.restore_marker import marker
from labctl.ops.restore_proof import Whole, misfits, prove_whole, refused, version_note
from labctl.ops.restoring import again, extra_nodes, put_back, right_clocks
from labctl.ops.results import RestoreResult
from labctl.ops.snapshot_create import take
from labctl.ops.snapshot_fit import wrong_with
from labctl.ops.snapshots import Snapshots
from labctl.ops.target import Target

_ROOT_LIMIT = 64 - len("before--20260101-000000-999")
"""A snapshot's name has 64 characters at most."""
_OF_SAFETY = r"(?:before-)+(.+?)(?:-[0-9]{8}-[0-9]{6}(?:-[0-9]+)?)+"
"""What `_name` makes of a root's name, once or many times."""


def restore(ctx: Context, ref: str, name: str, *, safety: bool = True) -> RestoreResult:
    """Put every node of the lab back to the snapshot, all running on at one instant.

    With `safety` the present is kept as a snapshot before. Raises UsageError for a snapshot there
    is not, SnapshotError with nothing changed when it is not whole or does not fit this host, and
    SnapshotError that says where the lab is now when it could not be put back. Interrupted is
    raised with nothing changed either; once machines are switched off it is done to its end.
    """
    started = time.monotonic()
    lab = lab_name(ref, ctx.home)
    paths = ctx.home.lab(lab)
    with (
        contextlib.closing(ctx.connect(ctx.uri)) as hypervisor,
        lab_lock(ctx.home, lab, f"snapshot restore {ref} {name}"),
    ):
        Snapshots(paths).get(name)
        _recover(ctx, hypervisor, paths)
        with Journal(paths.journal, "snapshot restore") as journal:
            whole = _proved(ctx, hypervisor, lab, name)
            _go_on(ctx, lab, name)
            with port_lock(ctx.home, hypervisor.uri):
                if problems := list(misfits(hypervisor, ctx.home, whole)):
                    raise refused(lab, name, problems)
                before = _keep_present(ctx, hypervisor, journal, whole) if safety else ""
                _go_on(ctx, lab, name)
                removed = extra_nodes(hypervisor, whole)
                skew = put_back(ctx, hypervisor, journal, whole, again(paths, name, before))
            late = right_clocks(ctx, hypervisor, whole)
        note = version_note(hypervisor.host(), whole.manifest)
    return RestoreResult(
        lab=lab,
        snapshot=name,
        safety=before,
        running=_nodes(whole, Power.RUNNING),
        paused=_nodes(whole, Power.PAUSED),
        off=_nodes(whole, Power.OFF),
        removed=removed,
        resume_skew=skew,
        late_clocks=late,
        notes=(note,) if note else (),
        seconds=time.monotonic() - started,
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


def _go_on(ctx: Context, lab: str, name: str) -> None:
    """Raise Interrupted after a Ctrl-C; for where nothing has been changed."""
    if ctx.interrupt.is_set():
        raise Interrupted(
            f"restore of {name} not done, the lab is as it was",
            resolution=f"labctl snapshot restore {lab} {name}",
        )


def _keep_present(ctx: Context, hypervisor: Hypervisor, journal: Journal, whole: Whole) -> str:
    """The name of a snapshot of what there is, broken as it may be; "" when nothing is left."""
    lab = whole.manifest.lab
    paths = ctx.home.lab(lab)
    domains = domains_of(lab, hypervisor.domains())
    if marker(paths) is not None:
        ctx.emit(Notice("the present is not kept: its disks are of two instants"))
        return ""
    sound = _sound(ctx, hypervisor, paths, domains)
    for node in whole.kept:
        if node not in domains:
            ctx.emit(Notice("is gone: nothing of it is kept", node))
    if not sound:
        return ""
    safety = _name(Snapshots(paths), whole.manifest.name)
    _take(ctx, Target(lab, hypervisor, sound), journal, safety, whole.manifest.name)
    if ctx.interrupt.is_set():
        Snapshots(paths).forget(safety)
        return ""
    ctx.emit(
        Notice(f"the present is kept: `labctl snapshot restore {lab} {safety}` goes back to it")
    )
    return safety


def _sound(
    ctx: Context, hypervisor: Hypervisor, paths: LabPaths, domains: Mapping[str, ObservedDomain]
) -> Mapping[str, ObservedDomain]:
    """The nodes that can be captured; the others are told."""
    sound = {}
    for node, domain in domains.items():
        wrong = [*wrong_with(paths.node(node), domain)]
        if hypervisor.definition(domain.name) is None:
            wrong.append(f"{domain.name} has no definition")
        if wrong:
            ctx.emit(Notice(f"its present is not kept: {wrong[0]}", node))
        else:
            sound[node] = domain
    return sound


def _take(ctx: Context, target: Target, journal: Journal, safety: str, name: str) -> None:
    """With memory, or, where that fails, the disks alone."""

    def attempt(*, memory: bool) -> None:
        take(
            ctx,
            target,
            journal,
            safety,
            kind=Kind.SAFETY,
            description=f"before {name} was restored",
            memory=memory,
            nodes=tuple(target.domains),
        )

    try:
        attempt(memory=True)
    except ConnectionLost:
        raise
    except LabctlError as error:
        _go_on(ctx, target.lab, name)
        ctx.emit(Notice(f"the present is kept without its memory: {error.brief}"))
        try:
            attempt(memory=False)
        except LabctlError as second:
            _go_on(ctx, target.lab, name)
            raise SnapshotError(
                f"the present of {target.lab} can't be kept: {second.brief}",
                details=second.details,
                resolution="nothing was changed; restore with --no-safety to do without",
                causes=[second],
            ) from second


def _name(snapshots: Snapshots, name: str) -> str:
    """A name that is free; what is put back may be a safety snapshot itself, named by its root."""
    made = re.fullmatch(_OF_SAFETY, name)
    root = (made[1] if made else name)[:_ROOT_LIMIT]
    stem = f"before-{root}-{datetime.now(UTC):%Y%m%d-%H%M%S}"
    found, number = stem, 1
    while found in snapshots.names():
        number += 1
        found = f"{stem}-{number}"
    return found


def _nodes(whole: Whole, power: Power) -> tuple[str, ...]:
    return tuple(part.node for part in whole.manifest.parts if part.power is power)
