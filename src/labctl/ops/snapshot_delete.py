"""Delete snapshots: by name, or those that the retention policy does not keep."""

from __future__ import annotations

import time
from collections.abc import Sequence

from labctl.errors import SnapshotError
from labctl.model.retention import Pruned, exceeded, to_prune, told
from labctl.ops.context import Context
from labctl.ops.journal import Journal
from labctl.ops.snapshot_lab import Opened, locked, opened
from labctl.ops.snapshot_list import listed
from labctl.ops.snapshot_results import DeleteResult, PruneResult
from labctl.ops.state import Listed


def deletable(
    ctx: Context, ref: str, names: Sequence[str], *, force: bool = False
) -> tuple[Listed, ...]:
    """What `delete` would delete, broken ones too.

    Raises UsageError for a name there is no snapshot of, SnapshotError for protected ones
    without `force`.
    """
    with opened(ctx, ref) as lab:
        return _chosen(lab, names, force=force)


def delete(ctx: Context, ref: str, names: Sequence[str], *, force: bool = False) -> DeleteResult:
    """Delete snapshots; the lab and those that descend from them stay as they are."""
    chosen = deletable(ctx, ref, names, force=force)
    with (
        locked(ctx, ref, "delete", *names) as lab,
        Journal(lab.paths.journal, "snapshot delete") as journal,
    ):
        for each in chosen:
            _remove(lab, journal, each.name)
    return DeleteResult(lab.lab, chosen)


def prune(ctx: Context, ref: str, *, dry_run: bool = False) -> PruneResult:
    """Delete what the lab's policy does not keep; with `dry_run` only say what that is."""
    with opened(ctx, ref) if dry_run else locked(ctx, ref, "prune") as lab:
        doomed = beyond_policy(lab)
        names = {each.name for each in doomed}
        kept = [each for each in lab.snapshots.all() if each.complete and each.name not in names]
        if doomed and not dry_run:
            with Journal(lab.paths.journal, "snapshot prune") as journal:
                remove(lab, journal, doomed)
    size = sum(each.size for each in kept)
    beyond = exceeded(kept, lab.policy, now=time.time())
    return PruneResult(lab.lab, told(lab.policy), doomed, len(kept), size, beyond, not dry_run)


def beyond_policy(lab: Opened) -> tuple[Pruned, ...]:
    """Which of the lab's snapshots its policy does not keep."""
    complete = [each for each in lab.snapshots.all() if each.complete]
    return to_prune(complete, lab.policy, now=time.time(), current=lab.snapshots.current())


def remove(lab: Opened, journal: Journal, doomed: Sequence[Pruned]) -> None:
    """Delete what the policy does not keep. The caller holds the lab's lock."""
    for each in doomed:
        _remove(lab, journal, each.name)


def _remove(lab: Opened, journal: Journal, name: str) -> None:
    with journal.step(f"delete snapshot {name}"):
        lab.snapshots.forget(name)


def _chosen(lab: Opened, names: Sequence[str], *, force: bool) -> tuple[Listed, ...]:
    there = lab.snapshots.names()
    for name in names:
        if name not in there:
            lab.snapshots.get(name)  # raises, with the names there are
    chosen = tuple(listed(lab, name) for name in dict.fromkeys(names))
    protected = [each.name for each in chosen if each.protected]
    if protected and not force:
        raise SnapshotError(
            f"protected by the topology file of {lab.lab}: {', '.join(protected)}",
            resolution="take them out of `snapshots: {protect: ...}`, or use --force",
        )
    return chosen
