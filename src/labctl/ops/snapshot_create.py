"""Take a snapshot of a whole lab at one instant: all of it or nothing, and the lab runs on."""

from __future__ import annotations

import contextlib
import shutil
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from labctl import __version__
from labctl.errors import Interrupted, LabctlError, SnapshotError
from labctl.model.paths import LabPaths
from labctl.model.retention import exceeded, nearing
from labctl.model.snapshot import Kind, Manifest, Power
from labctl.ops.capture import capture, running
from labctl.ops.context import Context
from labctl.ops.journal import Journal
from labctl.ops.snapshot_delete import beyond_policy, remove
from labctl.ops.snapshot_fit import check
from labctl.ops.snapshot_lab import locked
from labctl.ops.snapshot_recover import undo
from labctl.ops.snapshot_results import Content, CreateResult
from labctl.ops.snapshots import Snapshots
from labctl.ops.target import Target, chosen


def create(
    ctx: Context, ref: str, name: str, *, description: str = "", disk_only: bool = False
) -> CreateResult:
    """Take a snapshot of the lab, then prune what its retention policy does not keep.

    Raises as `take`. What is pruned is never the snapshot just taken.
    """
    started = time.monotonic()
    with locked(ctx, ref, "create", name) as lab:
        target = Target(lab.lab, lab.hypervisor, chosen(lab.lab, lab.hypervisor, ()))
        # Before there is a journal: what is refused leaves nothing, no folder either.
        check(lab.paths, target.domains, name, memory=not disk_only)
        with Journal(lab.paths.journal, "snapshot create") as journal:
            manifest = take(
                ctx, target, journal, name, description=description, memory=not disk_only
            )
            pruned = beyond_policy(lab)
            remove(lab, journal, pruned)
        left = [each for each in lab.snapshots.all() if each.complete]
    now = time.time()
    # Where pruning has begun, that the limit is near is no news; that it did not help is.
    warnings = () if pruned else nearing(left, lab.policy, now=now)
    beyond = exceeded(left, lab.policy, now=now)
    seconds = time.monotonic() - started
    return CreateResult(lab.lab, manifest, _content(manifest), pruned, warnings, beyond, seconds)


def take(
    ctx: Context,
    target: Target,
    journal: Journal,
    name: str,
    *,
    kind: Kind = Kind.MANUAL,
    description: str = "",
    memory: bool = True,
    nodes: Sequence[str] = (),
    left_out: Sequence[str] = (),
) -> Manifest:
    """Snapshot all of the lab's nodes as `name` (or `nodes`, where the others, `left_out`, can't
    be); the lab's state is then that snapshot's.

    Raises UsageError or SnapshotError before a machine is paused when it can't be taken, later
    the first error met, with the lab running on and nothing half-made left. The caller holds the
    lab's lock and has had `recover` done.
    """
    # Looked at anew: they may have changed before the lock was ours, or by `recover`.
    target = replace(target, domains=chosen(target.lab, target.hypervisor, nodes))
    paths = ctx.home.lab(target.lab)
    snapshots = Snapshots(paths)
    check(paths, target.domains, name, memory=memory)
    manifest = _begun(target, snapshots, name, kind, description)
    manifest = manifest._replace(left_out=tuple(left_out))
    with journal.step(f"snapshot {name}"):
        try:
            with _telling(target.lab, name):
                snapshots.write(manifest)
                manifest = _filled(ctx, target, paths, manifest, memory=memory)
                snapshots.write(manifest)
        except BaseException:
            # The error that led here is the one to report; what resists now, `recover` undoes.
            with contextlib.suppress(LabctlError):
                undo(target.hypervisor, snapshots, manifest)
            raise
    snapshots.set_current(name)
    return manifest


def _content(manifest: Manifest) -> Content:
    if manifest.with_memory:
        return Content.MEMORY
    return Content.DISKS_OF_RUNNING if manifest.running else Content.DISKS_OF_STOPPED


def _begun(
    target: Target, snapshots: Snapshots, name: str, kind: Kind, description: str
) -> Manifest:
    """The manifest before anything is done: enough to undo it."""
    host = target.hypervisor.host()
    clock = time.time()
    return Manifest(
        lab=target.lab,
        name=name,
        kind=kind,
        description=description,
        created=_iso(clock),
        clock=clock,
        parent=snapshots.current(),
        with_memory=False,
        labctl=__version__,
        qemu=host.hypervisor_version,
        libvirt=host.libvirt_version,
        uri=target.hypervisor.uri,
        running=running(target.domains),
    )


def _filled(
    ctx: Context, target: Target, paths: LabPaths, manifest: Manifest, *, memory: bool
) -> Manifest:
    """The manifest of a snapshot that is whole."""
    folder = Snapshots(paths).folder(manifest.name)
    _keep_topology(paths, folder)
    parts, halt = capture(
        ctx,
        target.hypervisor,
        paths,
        target.domains,
        folder,
        memory=memory,
        cpus=target.hypervisor.host().cpus,
        # A manifest that says complete must not outlive in a power cut what it speaks of.
        durable=True,
    )
    return manifest._replace(
        created=_iso(halt.clock),
        clock=halt.clock,
        with_memory=any(part.power is not Power.OFF for part in parts),
        complete=True,
        pause_skew=halt.pause_skew,
        resume_skew=halt.resume_skew,
        halted=halt.seconds,
        parts=parts,
    )


@contextlib.contextmanager
def _telling(lab: str, name: str) -> Iterator[None]:
    """Say what errors of single files and nodes mean for the snapshot."""
    try:
        yield
    except OSError as error:
        raise SnapshotError(
            f"can't write snapshot {name} of {lab}: {error.strerror}",
            details=str(error.filename or ""),
            resolution="see whether the disk is full or read-only",
        ) from None
    except Interrupted:
        raise Interrupted(
            f"snapshot {name} of {lab} was interrupted",
            details="its machines run on, and nothing is left of the snapshot",
            resolution=f"labctl snapshot create {lab} {name} takes it anew",
        ) from None


def _keep_topology(paths: LabPaths, folder: Path) -> None:
    for file in (paths.topology, paths.files):
        if file.exists():
            shutil.copyfile(file, folder / file.name)


def _iso(clock: float) -> str:
    return datetime.fromtimestamp(clock, UTC).isoformat(timespec="milliseconds")
