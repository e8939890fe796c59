"""Stop a lab's machines and keep their disks."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

from labctl.errors import Interrupted
from labctl.hypervisor.api import DomainState, ObservedDomain
from labctl.ops.apply import stop
from labctl.ops.context import Context
from labctl.ops.events import Notice
from labctl.ops.journal import Journal
from labctl.ops.keep import keep_config
from labctl.ops.lock import lab_lock
from labctl.ops.recover import recover
from labctl.ops.results import DownResult
from labctl.ops.runner import run_nodes
from labctl.ops.target import chosen, existing

_WIDTH = 16
_OFF = (DomainState.SHUT_OFF, DomainState.CRASHED)
_STOP_DEADLINE = 30.0
"""For a platform labctl no longer has data for."""


def down(
    ctx: Context,
    ref: str,
    *,
    nodes: Sequence[str] = (),
    force: bool = False,
    save: bool = False,
) -> DownResult:
    """Stop the machines: power button first, by force after the platform's deadline.

    With `force` at once by force, which is a power cut to the guest. With `save` each node first
    writes its running configuration where it outlives the stop; one that fails in that runs on.
    """
    from labctl.topology.platforms import load_platforms

    started = time.monotonic()
    platforms = load_platforms()

    def deadline(domain: ObservedDomain) -> float:
        platform = platforms.get(domain.metadata.platform) if domain.metadata else None
        if force:
            return 0.0
        return platform.stop_deadline if platform else _STOP_DEADLINE

    with existing(ctx, ref, nodes) as target:
        paths = ctx.home.lab(target.lab)
        with lab_lock(ctx.home, target.lab, f"down {ref}"):
            recover(ctx, paths, target.hypervisor)
            domains = chosen(target.lab, target.hypervisor, nodes)
            now = replace(target, domains=domains)
            with Journal(paths.journal, "down") as journal:

                def task(node: str) -> None:
                    domain = domains[node]
                    if save and domain.state not in _OFF:
                        with journal.step("save", node):
                            keep_config(ctx, platforms, now, node)
                    with journal.step("stop", node):
                        how = stop(ctx, target.hypervisor, domain.name, deadline(domain))
                    ctx.emit(Notice(how, node))

                outcomes = run_nodes(ctx, "stop", list(domains), task, width=_WIDTH)
    if ctx.interrupt.is_set():
        left = [outcome.node for outcome in outcomes if outcome.error is not None]
        raise Interrupted(
            f"down of {target.lab} was interrupted",
            details="still running or shutting down: " + (", ".join(left) or "none"),
            resolution=f"labctl down {target.lab} takes it on",
        )
    return DownResult(target.lab, outcomes, time.monotonic() - started)
