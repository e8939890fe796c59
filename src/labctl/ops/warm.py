"""Warm starts as `up` and `rebuild` see them: whether this run has any, before and after.

labctl.ops.warm_pick chooses, labctl.ops.warm_start restores, labctl.ops.warm_keep keeps.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

from labctl.hypervisor.api import DomainState, HostFacts
from labctl.ops.apply import Site
from labctl.ops.belongings import domains_of
from labctl.ops.context import Context
from labctl.ops.journal import Journal
from labctl.ops.warm_cache import WarmCache, size_limit
from labctl.ops.warm_keep import keep
from labctl.ops.warm_key import node_keys
from labctl.ops.warm_pick import Pick, bound_by, pick
from labctl.ops.warm_start import Warmed, clocks_put_right, warm_up
from labctl.plan.model import FRESH, Action, ActionKind, Plan
from labctl.verify.model import VerifyReport


@dataclass(frozen=True, slots=True)
class Warmth:
    """One run's dealings with the cache. `keys` is empty where this run has none.

    `pick` is what its fresh nodes can be restored from.
    """

    ctx: Context
    site: Site
    host: HostFacts
    keys: Mapping[str, str]
    cold: bool
    pick: Pick

    @classmethod
    def of(
        cls,
        ctx: Context,
        site: Site,
        host: HostFacts,
        plan: Plan,
        pool: Executor,
        *,
        wanted: bool,
        cold: bool,
    ) -> Warmth:
        """For a run that takes nodes to ready (`wanted`); saved memory is a file of this host.

        What can be restored begins to be read in `pool`.
        """
        possible = wanted and host.is_local and host.driver == "QEMU" and size_limit() > 0
        keys = node_keys(site.home, host, site.desired) if possible else {}
        fresh = [action.node for action in plan.actions if action.kind in FRESH]
        found = Pick()
        if keys and fresh and not cold:
            roles = {name: each.intent.node.role for name, each in site.desired.nodes.items()}
            bound = bound_by(fresh, _living(site, plan), roles)
            cache, lab = WarmCache(site.home), site.desired.lab
            found = pick(cache, lab, host, fresh, keys, pool, bound=bound)
        return cls(ctx, site, host, keys, cold, found)

    def start(self, journal: Journal, plan: Plan, failed: Collection[str]) -> Warmed:
        """Restore the fresh nodes that were picked; those `failed` were not prepared."""
        actions = {
            action.node: action
            for action in plan.actions
            if action.kind in FRESH and action.node not in failed
        }
        return warm_up(self.ctx, self.site, journal, actions, self.pick)

    def clocks(self, warmed: Warmed) -> AbstractContextManager[None]:
        """The clocks of what was restored are put right while the block goes on."""
        nodes = warmed.start.nodes if warmed.start else ()
        if not nodes:
            return nullcontext()
        return clocks_put_right(self.ctx, self.site, nodes)

    def end(self, plan: Plan, warmed: Warmed, report: VerifyReport | None) -> tuple[str, ...]:
        """Keep what has been proved, or drop what it was restored from and was not healthy."""
        lab = self.site.desired.lab
        if report is None or not self.keys:
            return ()
        if not report.healthy:
            return self._distrust(warmed) if report.healthy is False else ()
        if old := _lived_on(plan.actions, self.keys):
            return (f"not kept for warm starts: {_nodes(old)} lived on from an earlier run",)
        if set(warmed.outcomes) == set(self.keys):
            return ()
        site = self.site
        note = keep(
            self.ctx, site.hypervisor, self.host, site.paths, lab, self.keys, anew=self.cold
        )
        return (note,) if note else ()

    def _distrust(self, warmed: Warmed) -> tuple[str, ...]:
        if warmed.entry is None or warmed.start is None:
            return ()
        WarmCache(self.site.home).drop(warmed.entry.folder)
        lab = self.site.desired.lab
        return (f"the kept state was dropped; `labctl rebuild {lab}` boots all nodes cold",)


def _living(site: Site, plan: Plan) -> tuple[str, ...]:
    """The lab's nodes that have memory of their own, and keep it through this run."""
    boots = (*FRESH, ActionKind.RESTART, ActionKind.REMOVE)
    gone = {action.node for action in plan.actions if action.kind in boots}
    domains = domains_of(site.desired.lab, site.hypervisor.domains())
    return tuple(
        node
        for node, domain in domains.items()
        if node in site.desired.nodes
        and node not in gone
        and domain.state in (DomainState.RUNNING, DomainState.PAUSED)
    )


def _lived_on(actions: Collection[Action], nodes: Collection[str]) -> tuple[str, ...]:
    """The nodes that this run did not make: they may have been changed by hand."""
    fresh = {action.node for action in actions if action.kind in FRESH}
    return tuple(node for node in nodes if node not in fresh)


def _nodes(nodes: Sequence[str]) -> str:
    return nodes[0] if len(nodes) == 1 else f"{len(nodes)} nodes"
