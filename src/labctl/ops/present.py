"""A lab's present kept as a safety snapshot before a restore replaces it, as far as it can be."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from labctl.errors import ConnectionLost, Interrupted, LabctlError, SnapshotError, UsageError
from labctl.hypervisor.api import Hypervisor, ObservedDomain
from labctl.model.paths import LabPaths
from labctl.model.snapshot import Kind
from labctl.ops.belongings import domains_of
from labctl.ops.context import Context
from labctl.ops.events import Notice
from labctl.ops.journal import Journal
from labctl.ops.restore_marker import marker
from labctl.ops.restore_proof import Whole
from labctl.ops.snapshot_create import take
from labctl.ops.snapshot_fit import wrong_with
from labctl.ops.snapshot_lab import found
from labctl.ops.snapshots import Snapshots
from labctl.ops.target import Target

_ROOT_LIMIT = 64 - len("before--20260101-000000-999")
"""A snapshot's name has 64 characters at most."""
_OF_SAFETY = r"(?:before-)+(.+?)(?:-[0-9]{8}-[0-9]{6}(?:-[0-9]+)?)+"
"""What `_name` makes of a root's name, once or many times."""


class Present(NamedTuple):
    """What was kept: `safety` is the snapshot's name, "" where there is none; `unkept` are the
    nodes whose present is lost all the same."""

    safety: str = ""
    unkept: tuple[str, ...] = ()


def lost(ctx: Context, ref: str, name: str) -> Mapping[str, str]:
    """The nodes whose present restoring the snapshot `name` would lose for good, each with why.

    Raises UsageError when there is no such snapshot, SnapshotError when it can't be read.
    """
    with found(ctx, ref) as (lab, hypervisor):
        paths = ctx.home.lab(lab)
        manifest = Snapshots(paths).get(name)
        if marker(paths) is not None:
            return {}
        wrong = _wrong(hypervisor, paths, domains_of(lab, hypervisor.domains()))
    return {node: why for node, why in wrong.items() if node not in manifest.left_out}


def go_on(ctx: Context, lab: str, name: str) -> None:
    """Raise Interrupted after a Ctrl-C; for where nothing has been changed."""
    if ctx.interrupt.is_set():
        raise Interrupted(
            f"restore of {name} not done, the lab is as it was",
            resolution=f"labctl snapshot restore {lab} {name}",
        )


def keep_present(
    ctx: Context, hypervisor: Hypervisor, journal: Journal, whole: Whole, *, lossy: bool
) -> Present:
    """Take a snapshot of what there is, broken as it may be.

    Nodes that can't be captured, and that the restore would replace or remove, are lost: raises
    UsageError with all of them unless `lossy`.
    """
    lab = whole.manifest.lab
    paths = ctx.home.lab(lab)
    domains = domains_of(lab, hypervisor.domains())
    if marker(paths) is not None:
        ctx.emit(Notice("the present is not kept: its disks are of two instants"))
        return Present()
    wrong = _wrong(hypervisor, paths, domains)
    unkept = tuple(node for node in wrong if node not in whole.manifest.left_out)
    if unkept and not lossy:
        raise _needs_yes(lab, whole.manifest.name, {node: wrong[node] for node in unkept})
    for node, why in wrong.items():
        ctx.emit(Notice(f"its present is not kept: {why}", node))
    for node in whole.kept:
        if node not in domains:
            ctx.emit(Notice("is gone: nothing of it is kept", node))
    sound = {node: domain for node, domain in domains.items() if node not in wrong}
    if not sound:
        return Present("", unkept)
    safety = _name(Snapshots(paths), whole.manifest.name)
    target = Target(lab, hypervisor, sound)
    _take(ctx, target, journal, safety, whole.manifest.name, tuple(wrong))
    if ctx.interrupt.is_set():
        Snapshots(paths).forget(safety)
        return Present()
    but = f", but for {', '.join(unkept)}" if unkept else ""
    back = f"`labctl snapshot restore {lab} {safety}` goes back to it"
    ctx.emit(Notice(f"the present is kept{but}: {back}"))
    return Present(safety, unkept)


def _wrong(
    hypervisor: Hypervisor, paths: LabPaths, domains: Mapping[str, ObservedDomain]
) -> Mapping[str, str]:
    """The nodes that can't be captured, each with why."""
    found = {}
    for node, domain in domains.items():
        wrong = [*wrong_with(paths.node(node), domain)]
        if hypervisor.definition(domain.name) is None:
            wrong.append(f"{domain.name} has no definition")
        if wrong:
            found[node] = wrong[0]
    return found


def _needs_yes(lab: str, name: str, unkept: Mapping[str, str]) -> UsageError:
    return UsageError(
        f"the present of {', '.join(unkept)} can't be kept: restoring {name} would lose it for "
        "good, and needs a yes",
        details="\n".join(f"{node}: {why}" for node, why in unkept.items()),
        resolution=f"labctl snapshot restore {lab} {name} --yes",
    )


def _take(
    ctx: Context,
    target: Target,
    journal: Journal,
    safety: str,
    name: str,
    left_out: Sequence[str],
) -> None:
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
            left_out=left_out,
        )

    try:
        attempt(memory=True)
    except ConnectionLost:
        raise
    except LabctlError as error:
        go_on(ctx, target.lab, name)
        ctx.emit(Notice(f"the present is kept without its memory: {error.brief}"))
        try:
            attempt(memory=False)
        except LabctlError as second:
            go_on(ctx, target.lab, name)
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
