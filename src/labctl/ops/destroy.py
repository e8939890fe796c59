"""Remove all that a lab owns: domains, overlays, network, files, lock."""

from __future__ import annotations

import contextlib
import shutil
import time
from collections.abc import Collection
from pathlib import Path

from labctl.errors import HypervisorError, Interrupted, NodesFailed
from labctl.hypervisor.api import Hypervisor, ObservedDomain
from labctl.model.paths import Home, LabPaths
from labctl.ops.apply import remove_node
from labctl.ops.belongings import belongings_of, domains_of
from labctl.ops.context import Context
from labctl.ops.journal import Journal
from labctl.ops.labs import labs_of, of_another_home, other_home
from labctl.ops.load import lab_name
from labctl.ops.lock import lab_lock, refuse_if_held, sweep
from labctl.ops.recover import recover
from labctl.ops.results import Belongings, DestroyResult, NodeOutcome
from labctl.ops.runner import run_nodes
from labctl.ops.warm_cache import WarmCache

_WIDTH = 8
"""Parallel destroys: libvirt polls each for the end of its QEMU, so they overlap well."""


def belongings(ctx: Context, ref: str) -> Belongings:
    """What destroy would remove; empty when there is nothing of such a lab.

    Raises LabLocked when another run is at work on the lab, UsageError when it is another home's.
    """
    lab = lab_name(ref, ctx.home)
    refuse_if_held(ctx.home, lab)
    with contextlib.closing(ctx.connect(ctx.uri)) as hypervisor:
        _refuse_other_home(ctx.home, lab, hypervisor.domains())
        return belongings_of(lab, hypervisor, ctx.home)


def destroy(ctx: Context, ref: str) -> DestroyResult:
    """Remove the lab whole. A node that resists doesn't keep the others; raises NodesFailed.

    Raises UsageError for a lab of another home.
    """
    started = time.monotonic()
    lab = lab_name(ref, ctx.home)
    paths = ctx.home.lab(lab)
    with lab_lock(ctx.home, lab, f"destroy {ref}"):
        with contextlib.closing(ctx.connect(ctx.uri)) as hypervisor:
            everything = hypervisor.domains()
            _refuse_other_home(ctx.home, lab, everything)
            owned = belongings_of(lab, hypervisor, ctx.home)
            others = tuple(name for name in labs_of(everything, ctx.home) if name != lab)
            recover(ctx, paths)
            with Journal(paths.journal, "destroy") as journal:
                _remove_nodes(ctx, hypervisor, paths, journal, lab)
                for network in owned.networks:
                    with journal.step("remove network"):
                        hypervisor.remove_network(network)
        shutil.rmtree(paths.folder, ignore_errors=True)
        WarmCache(ctx.home).sweep(lab)
        _check_gone(paths)
    sweep(ctx.home)
    return DestroyResult(lab, owned, time.monotonic() - started, others)


def _refuse_other_home(home: Home, lab: str, everything: Collection[ObservedDomain]) -> None:
    """Its disks and snapshots are there, out of this one's sight.

    Not where that home is gone, or on another host: then nobody else could remove the machines.
    """
    elsewhere = other_home(domains_of(lab, everything).values(), home)
    if elsewhere and Home(Path(elsewhere)).lab(lab).folder.is_dir():
        raise of_another_home(lab, elsewhere, home, f"destroy {lab}")


def _remove_nodes(
    ctx: Context, hypervisor: Hypervisor, paths: LabPaths, journal: Journal, lab: str
) -> None:
    nodes = list(domains_of(lab, hypervisor.domains()))
    outcomes = run_nodes(
        ctx,
        "destroy",
        nodes,
        lambda node: remove_node(hypervisor, paths, journal, lab, node),
        width=_WIDTH,
    )
    if ctx.interrupt.is_set():
        left = [o.node for o in outcomes if o.error is not None]
        raise Interrupted(
            f"destroy of {lab} was interrupted",
            details="left: " + (", ".join(left) or "its network and files"),
            resolution=f"labctl destroy {lab} takes it on",
        )
    raise_if_failed(lab, "destroyed", outcomes)


def raise_if_failed(lab: str, done: str, outcomes: tuple[NodeOutcome, ...]) -> None:
    """Raise NodesFailed naming each node that failed."""
    failed = [o for o in outcomes if o.error is not None]
    if failed:
        raise NodesFailed(
            f"{len(failed)} of {len(outcomes)} nodes of {lab} could not be {done}",
            details="\n".join(f"{o.node}: {o.error}" for o in failed),
            resolution="mend what the details name, then run it again",
            causes=[o.error for o in failed if o.error is not None],
        )


def _check_gone(paths: LabPaths) -> None:
    if paths.folder.exists():
        raise HypervisorError(
            f"files of the lab could not be removed: {paths.folder}",
            resolution="see who holds them, then run destroy again",
        )
