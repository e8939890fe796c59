"""The lab whose snapshots a command is about: by name, whether its machines are there or not."""

from __future__ import annotations

import contextlib
import shlex
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from labctl.errors import LabctlError, UsageError
from labctl.hypervisor.api import Hypervisor
from labctl.model.paths import LabPaths
from labctl.model.retention import Retention
from labctl.ops.belongings import domains_of, is_bare
from labctl.ops.context import Context
from labctl.ops.events import Notice
from labctl.ops.labs import labs_of, no_such_lab, of_another_home, other_home
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
            raise _missing(ref, lab, hypervisor.uri, labs_of(everything, ctx.home))
        if elsewhere := other_home(domains.values(), ctx.home):
            raise of_another_home(lab, elsewhere, ctx.home, f"snapshot list {lab}")
        yield lab, hypervisor


def _missing(ref: str, lab: str, uri: str, known: Iterable[str]) -> UsageError:
    brief = f"there is no lab {lab!r} on {uri}"
    error = no_such_lab(brief, lab, known)
    if ref == lab:
        return error
    up = f"`labctl up {shlex.quote(ref)}` brings it up, then snapshots of it can be taken"
    return UsageError(brief, details=error.details, resolution=up)


@contextlib.contextmanager
def opened(ctx: Context, ref: str) -> Iterator[Opened]:
    """As `found`, with the lab's snapshots and its retention policy."""
    with found(ctx, ref) as (lab, hypervisor):
        paths = ctx.home.lab(lab)
        yield Opened(lab, paths, hypervisor, Snapshots(paths), policy_of(ctx, ref))


@contextlib.contextmanager
def locked(ctx: Context, ref: str, operation: str, *names: str) -> Iterator[Opened]:
    """As `opened`, under the lab's lock and with what a killed run left put right.

    `labctl snapshot OPERATION REF NAMES` is what others are told of the lock's holder.
    """
    words = " ".join(("snapshot", operation, ref, *names))
    with opened(ctx, ref) as lab, lab_lock(ctx.home, lab.lab, words):
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
