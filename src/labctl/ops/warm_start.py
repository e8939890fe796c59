"""Restore fresh nodes from a kept state of their fabric instead of booting them.

Nothing kept is trusted: what is damaged, does not fit or is refused by libvirt is dropped, and the
node boots cold.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

from labctl.errors import ConnectionLost, LabctlError, SnapshotError
from labctl.model.identity import domain_name
from labctl.ops.apply import Site, prepare
from labctl.ops.capture import together
from labctl.ops.clock import set_clocks
from labctl.ops.context import Context
from labctl.ops.events import Notice
from labctl.ops.journal import Journal
from labctl.ops.reinstate import place, revive
from labctl.ops.results import NodeOutcome, WarmStart
from labctl.ops.runner import run_nodes
from labctl.ops.warm_cache import Entry, WarmCache, touch
from labctl.ops.warm_pick import Pick
from labctl.plan.model import Action

_PREPARE_WIDTH = 8
_RESTORE_WIDTH = 8


@dataclass(frozen=True, slots=True)
class Warmed:
    """What came of it: nodes that run or failed for good, what to tell, the state restored.

    Nodes of which nothing is told are as they were prepared, and boot cold.
    """

    outcomes: Mapping[str, NodeOutcome] = field(default_factory=dict)
    start: WarmStart | None = None
    notes: tuple[str, ...] = ()
    entry: Entry | None = None


def warm_up(
    ctx: Context,
    site: Site,
    journal: Journal,
    actions: Mapping[str, Action],
    pick: Pick,
) -> Warmed:
    """Restore those of the prepared nodes of `actions` that were picked, all at one instant.

    Raises ConnectionLost alone.
    """
    started, notes, entry = time.monotonic(), list(pick.notes), pick.entry
    nodes = [node for node in pick.damage if node in actions]
    if entry is None or not nodes:
        return Warmed(notes=_told(ctx, notes))
    touch(entry.folder)
    outcomes = run_nodes(
        ctx,
        "restore",
        nodes,
        lambda node: _restore(site, journal, entry, node, pick.damage[node]),
        width=_RESTORE_WIDTH,
    )
    warm = {outcome.node: outcome for outcome in outcomes if outcome.error is None}
    cold = {outcome.node: outcome.error for outcome in outcomes if outcome.error is not None}
    if error := _go_on(site, list(warm)):
        cold |= dict.fromkeys(warm, error)
        warm = {}
    failed = _fall_back(ctx, site, journal, entry, {node: actions[node] for node in cold})
    if not ctx.interrupt.is_set():
        notes += [f"{node} boots cold: {error.brief}" for node, error in cold.items()]
    seconds = time.monotonic() - started
    start = WarmStart(tuple(warm), entry.manifest.created, seconds) if warm else None
    return Warmed(warm | failed, start, _told(ctx, notes), entry)


def _restore(
    site: Site, journal: Journal, entry: Entry, node: str, damage: Future[tuple[str, ...]]
) -> None:
    """One node's machine, paused at the instant it was kept at. Raises what keeps it from it."""
    part = entry.manifest.part(node)
    assert part is not None  # those picked have one
    if wrong := damage.result():
        raise SnapshotError(wrong[0], details="\n".join(wrong))
    name, files = domain_name(site.desired.lab, node), site.paths.node(node)
    with journal.step("restore", node):
        place(entry.folder, part, files)
        files.warming.touch()
        xml = site.hypervisor.definition(name) or site.desired.nodes[node].domain_xml
        revive(site.hypervisor, entry.folder, part, xml)
        files.started.touch()


def _go_on(site: Site, nodes: Sequence[str]) -> LabctlError | None:
    """Let the restored machines go on at one instant; what went wrong."""
    lab = site.desired.lab
    try:
        together([domain_name(lab, node) for node in nodes], site.hypervisor.resume, [])
    except ConnectionLost:
        raise
    except LabctlError as error:
        return error
    for node in nodes:
        site.paths.node(node).warming.unlink(missing_ok=True)
    return None


@contextlib.contextmanager
def clocks_put_right(ctx: Context, site: Site, nodes: Collection[str]) -> Iterator[None]:
    """The clocks of restored `nodes` put right meanwhile; done when the block ends."""
    lab, desired = site.desired.lab, site.desired.nodes
    platform_of = {node: site.platforms[desired[node].intent.node.platform] for node in nodes}
    with ThreadPoolExecutor(1, thread_name_prefix="clocks") as pool:
        setting = pool.submit(set_clocks, ctx, site.hypervisor, lab, platform_of)
        yield
        setting.result()


def _fall_back(
    ctx: Context,
    site: Site,
    journal: Journal,
    entry: Entry,
    actions: Mapping[str, Action],
) -> dict[str, NodeOutcome]:
    """Make the nodes anew that could not be restored; those of them that failed for good."""
    if not actions or ctx.interrupt.is_set():
        return {}
    WarmCache(site.home).drop(entry.folder)
    outcomes = run_nodes(
        ctx,
        "prepare",
        list(actions),
        lambda node: prepare(site, journal, actions[node]),
        width=_PREPARE_WIDTH,
    )
    return {outcome.node: outcome for outcome in outcomes if outcome.error is not None}


def _told(ctx: Context, notes: Sequence[str]) -> tuple[str, ...]:
    for note in notes:
        ctx.emit(Notice(note))
    return tuple(notes)
