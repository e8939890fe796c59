"""Which snapshots a lab has: its own, whole or not, and foreign ones that libvirt lists."""

from __future__ import annotations

import time

from labctl.errors import LabctlError
from labctl.model.retention import told
from labctl.ops.belongings import domains_of
from labctl.ops.context import Context
from labctl.ops.lock import holder
from labctl.ops.snapshot_lab import Opened, opened
from labctl.ops.snapshot_results import ListResult
from labctl.ops.state import Listed


def list_snapshots(ctx: Context, ref: str) -> ListResult:
    """All snapshots of the lab, the oldest first, those that are not whole last."""
    with opened(ctx, ref) as lab:
        found = [listed(lab, name) for name in lab.snapshots.names()]
        foreign = {
            node: tuple(each.name for each in lab.hypervisor.snapshots(domain.name))
            for node, domain in domains_of(lab.lab, lab.hypervisor.domains()).items()
        }
        return ListResult(
            lab.lab,
            tuple(sorted(found, key=lambda each: (each.state != "complete", -each.age, each.name))),
            {node: names for node, names in foreign.items() if names},
            told(lab.policy),
        )


def listed(lab: Opened, name: str) -> Listed:
    """One of its snapshots in short."""
    try:
        manifest = lab.snapshots.get(name)
    except LabctlError:
        return Listed(name, "unreadable")
    at_work = "being taken" if holder(lab.paths.lock) else "incomplete"
    return Listed(
        name=name,
        state="complete" if manifest.complete else at_work,
        kind=manifest.kind.value,
        created=manifest.created,
        age=max(0.0, time.time() - manifest.clock),
        size=manifest.size,
        with_memory=manifest.with_memory,
        parent=manifest.parent,
        pause_skew=manifest.pause_skew,
        resume_skew=manifest.resume_skew,
        halted=manifest.halted,
        description=manifest.description,
        current=lab.snapshots.current() == name,
        protected=name in lab.policy.protect,
        left_out=manifest.left_out,
        damage=lab.snapshots.damage(name),
    )
