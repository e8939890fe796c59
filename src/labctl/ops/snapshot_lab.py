"""The lab whose snapshots a command is about: by name, whether its machines are there or not."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

from labctl.errors import LabctlError
from labctl.hypervisor.api import Hypervisor
from labctl.model.paths import LabPaths
from labctl.model.retention import Retention
from labctl.ops.belongings import domains_of, is_bare
from labctl.ops.context import Context
from labctl.ops.events import Notice
from labctl.ops.labs import labs_of, no_such_lab, refuse_of_another_home
from labctl.ops.load import lab_name, load_retention
from labctl.ops.lock import lab_lock
from labctl.ops.recover import recover
from labctl.ops.snapshots import Snapshots


@dataclass(frozen=True, slots=True)
class Opened:
    """A lab with its snapshots, over an open connection."""

    lab: str
    paths: LabPaths
    hypervisor: Hypervisor
    snapshots: Snapshots
    policy: Retention


@contextlib.contextmanager
def found(ctx: Context, ref: str) -> Iterator[tuple[str, Hypervisor]]:
    """Connect, and find the lab. Raises UsageError when there is neither machine nor file of it,
    or when it belongs to another LABCTL_HOME.
    """
    lab = lab_name(ref, ctx.home)
    with contextlib.closing(ctx.connect(ctx.uri)) as hypervisor:
        everything = hypervisor.domains()
        domains = domains_of(lab, everything)
        if not domains and is_bare(ctx.home.lab(lab)):
            known = labs_of(everything, ctx.home)
            raise no_such_lab(f"there is no lab {lab!r} on {hypervisor.uri}", lab, known)
        refuse_of_another_home(lab, domains.values(), ctx.home)
        yield lab, hypervisor


@contextlib.contextmanager
def opened(ctx: Context, ref: str) -> Iterator[Opened]:
    """As `found`, with the lab's snapshots and its retention policy."""
    with found(ctx, ref) as (lab, hypervisor):
        paths = ctx.home.lab(lab)
        yield Opened(lab, paths, hypervisor, Snapshots(paths), policy_of(ctx, ref))


@contextlib.contextmanager
def locked(ctx: Context, ref: str, operation: str) -> Iterator[Opened]:
    """As `opened`, under the lab's lock and with what a killed run left put right."""
    with opened(ctx, ref) as lab, lab_lock(ctx.home, lab.lab, f"snapshot {operation} {ref}"):
        recover(ctx, lab.paths, lab.hypervisor)
        yield lab


def policy_of(ctx: Context, ref: str) -> Retention:
    """The retention policy of the file, or the one last applied.

    An empty one, and a notice, when that can't be read: then nothing is pruned.
    """
    try:
        return load_retention(ref, ctx.home)
    except LabctlError as error:
        ctx.emit(Notice(f"no retention policy: {error.brief}"))
        return Retention()
