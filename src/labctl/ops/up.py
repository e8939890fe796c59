"""Bring a lab up: preflight, plan, apply, watch the boots, verify. Idempotent."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from labctl.hypervisor.api import DomainState, HostFacts, Hypervisor
from labctl.model.lab import Lab
from labctl.model.paths import LabPaths
from labctl.ops.apply import (
    NETWORK_KINDS,
    PREPARED_KINDS,
    Site,
    apply_network,
    await_ready,
    prepare,
    start,
)
from labctl.ops.boot import boot_state
from labctl.ops.context import Context
from labctl.ops.cut_off import cut_off, cut_off_in_verify
from labctl.ops.events import Notice, PlanMade
from labctl.ops.journal import Journal
from labctl.ops.load import keep_topology, load_with_files
from labctl.ops.lock import lab_lock, port_lock
from labctl.ops.recover import recover
from labctl.ops.restore_marker import marker
from labctl.ops.results import Goal, NodeOutcome, UpResult
from labctl.ops.runner import run_nodes
from labctl.ops.survey import Survey, survey
from labctl.ops.target import check_nodes
from labctl.ops.verify import verify_until_healthy
from labctl.ops.warm import Warmth
from labctl.ops.warm_pick import reading
from labctl.plan.model import Action, ActionKind, Plan
from labctl.verify.model import VerifyReport

_PREPARE_WIDTH = 8
_START_WIDTH = 8
_BOOTS_PER_CPU = 2
"""A booting guest waits about half of its time, under TCG too, so two keep a CPU busy."""


@dataclass(frozen=True, slots=True)
class Options:
    """How far to go. `nodes` limits the run to some nodes, `rebuild` makes nodes anew."""

    nodes: Sequence[str] = ()
    rebuild: Collection[str] | None = None
    wait: bool = True
    verify: bool = True
    max_parallel: int | None = None
    paused: bool = False
    cold: bool = False

    @property
    def command(self) -> str:
        return "up" if self.rebuild is None else "rebuild"

    @property
    def goal(self) -> Goal:
        if self.paused:
            return Goal.PAUSED
        return Goal.READY if self.wait else Goal.STARTED


def up(
    ctx: Context,
    ref: str,
    *,
    nodes: Sequence[str] = (),
    wait: bool = True,
    verify: bool = True,
    max_parallel: int | None = None,
    paused: bool = False,
    cold: bool = False,
) -> UpResult:
    """Take the lab to what the file wants.

    `max_parallel` bounds how many nodes boot at once (by default what the host bears); `paused`
    leaves new machines paused at their first instruction; `cold` boots fresh nodes even where a
    kept state of them is there. Raises before anything is touched:
    TopologyError, PreflightRefused, ImageError, LabLocked, HypervisorError. Later failures of
    nodes are in the result.
    """
    wait, verify = wait and not paused, verify and wait and not paused
    options = Options(nodes, None, wait, verify, max_parallel, paused, cold)
    return bring_up(ctx, ref, options)


def bring_up(ctx: Context, ref: str, options: Options) -> UpResult:
    """The whole way, for up and rebuild alike."""
    started = time.monotonic()
    lab, files = load_with_files(ref, ctx.home)
    check_nodes(lab.name, options.nodes, {node.name: node for node in lab.nodes})
    paths = ctx.home.lab(lab.name)
    with (
        contextlib.closing(ctx.connect(ctx.uri)) as hypervisor,
        lab_lock(ctx.home, lab.name, f"{options.command} {ref}"),
        reading() as pool,
    ):
        was_restoring = marker(paths) is not None
        recovered = recover(ctx, paths, hypervisor, onward=True)
        if was_restoring and ref == lab.name:  # the topology came back too
            lab, files = load_with_files(ref, ctx.home)
        with port_lock(ctx.home, hypervisor.uri):
            anew = _anew(lab, options)
            found = survey(ctx, hypervisor, lab, anew=anew)
            plan = found.plan(only=options.nodes, rebuild=anew, paused=options.paused)
            booting = _booting(found, plan, paths, options) if options.wait else ()
            result = replace(
                _result(found, plan, recovered, started),
                unready=_unready(found, paths, options),
                goal=options.goal,
            )
            ctx.emit(PlanMade(plan))
            _tell_unplugged(ctx, found, plan)
            if news := keep_topology(paths, lab, files):
                ctx.emit(Notice(news))
            if plan.empty and not booting:
                return result
            site = _site(ctx, found, hypervisor, paths)
            host, waiting, cold = found.host, options.wait, options.cold
            warmth = Warmth.of(ctx, site, host, plan, pool, wanted=waiting, cold=cold)
            with Journal(paths.journal, options.command) as journal:
                failed = _prepare(ctx, site, journal, plan)
        with Journal(paths.journal, options.command) as journal:
            warmed = warmth.start(journal, plan, failed)
            settled = {**failed, **warmed.outcomes}
            outcomes = _start(ctx, site, journal, plan, settled, booting, options, host)
        with warmth.clocks(warmed):
            if ctx.interrupt.is_set():
                raise cut_off(lab.name, outcomes, options.command)
            result = replace(result, outcomes=outcomes, warm=warmed.start)
            report = _verify(ctx, hypervisor, found, result, options) if options.verify else None
        seconds = time.monotonic() - started
        notes = (*warmed.notes, *warmth.end(plan, warmed, report))
    return replace(result, verify=report, notes=notes, seconds=seconds)


def _verify(
    ctx: Context, hypervisor: Hypervisor, found: Survey, result: UpResult, options: Options
) -> VerifyReport | None:
    """Whether the fabric works; None where not all of it is there to work."""
    if result.failed:
        return None
    if result.unready:
        ctx.emit(Notice("not verified: the lab has nodes that were not asked for and aren't ready"))
        return None
    woken = result.warm.nodes if result.warm else ()
    report = verify_until_healthy(ctx, hypervisor, found.intent, found.platforms, awakening=woken)
    if ctx.interrupt.is_set() and report.healthy is False:
        raise cut_off_in_verify(found.lab.name, options.command)
    return report


def _anew(lab: Lab, options: Options) -> Collection[str]:
    """The nodes to be made anew, whatever they are like."""
    if options.rebuild is None:
        return ()
    return options.rebuild or [node.name for node in lab.nodes]


def _tell_unplugged(ctx: Context, found: Survey, plan: Plan) -> None:
    """A pulled cable is the user's doing, so it is no change to undo, but easily forgotten."""
    for node in plan.unchanged:
        domain = found.observed.domains.get(node)
        for interface in domain.unplugged() if domain else ():
            end = f"{node}:{interface}"
            ctx.emit(
                Notice(f"{end} stays unplugged; `labctl link {plan.lab} {end} up` plugs it", node)
            )


def _booting(found: Survey, plan: Plan, paths: LabPaths, options: Options) -> tuple[str, ...]:
    """Running nodes asked for that need nothing but to come to the end of their boot."""
    asked = [node for node in plan.unchanged if not options.nodes or node in options.nodes]
    return tuple(node for node in asked if _runs(found, node) and _is_booting(found, paths, node))


def _unready(found: Survey, paths: LabPaths, options: Options) -> tuple[str, ...]:
    """Nodes not asked for that are off, or not at the end of their boot."""
    others = [node.name for node in found.lab.nodes if node.name not in options.nodes]
    return tuple(
        node
        for node in (others if options.nodes else ())
        if not _runs(found, node) or _is_booting(found, paths, node)
    )


def _runs(found: Survey, node: str) -> bool:
    domain = found.observed.domains.get(node)
    return domain is not None and domain.state is DomainState.RUNNING


def _is_booting(found: Survey, paths: LabPaths, node: str) -> bool:
    platform = found.platforms[found.lab.node(node).platform]
    boot = boot_state(paths.node(node).console_log, platform, node)
    return boot is not None and (not boot.ready or boot.errors > 0)


def _site(ctx: Context, found: Survey, hypervisor: Hypervisor, paths: LabPaths) -> Site:
    assert found.desired is not None  # a refused survey gave no plan
    golden = {name: image.path for name, image in found.images.items()}
    return Site(ctx.home, hypervisor, paths, found.desired, found.platforms, golden)


def _prepare(ctx: Context, site: Site, journal: Journal, plan: Plan) -> Mapping[str, NodeOutcome]:
    """The first stroke; the nodes that failed in it."""
    for action in plan.actions:
        if action.kind in NETWORK_KINDS:
            apply_network(site, journal, action)
    actions = {
        node: action for node, action in _by_node(plan).items() if action.kind in PREPARED_KINDS
    }
    outcomes = run_nodes(
        ctx,
        "prepare",
        list(actions),
        lambda node: prepare(site, journal, actions[node]),
        width=_PREPARE_WIDTH,
    )
    return {outcome.node: outcome for outcome in outcomes if outcome.error is not None}


def _start(
    ctx: Context,
    site: Site,
    journal: Journal,
    plan: Plan,
    settled: Mapping[str, NodeOutcome],
    unready: Sequence[str],
    options: Options,
    host: HostFacts,
) -> tuple[NodeOutcome, ...]:
    """The second stroke: run the machines, as many at once as the host bears, until ready.

    Nodes that are `settled` failed before, or run already.
    """
    actions = {
        node: action
        for node, action in _by_node(plan).items()
        if node not in settled and action.kind is not ActionKind.REMOVE
    }

    def task(node: str) -> None:
        if node in actions:
            start(ctx, site, journal, actions[node], paused=options.paused)
        if options.wait:
            resumed = node not in actions or actions[node].kind is ActionKind.RESUME
            await_ready(ctx, site, node, resumed=resumed)

    width = options.max_parallel or (
        max(2, host.cpus * _BOOTS_PER_CPU) if options.wait else _START_WIDTH
    )
    step = "boot" if options.wait else "start"
    outcomes = run_nodes(ctx, step, [*actions, *unready], task, width=width)
    return (*settled.values(), *outcomes)


def _by_node(plan: Plan) -> dict[str, Action]:
    return {action.node: action for action in plan.actions if action.node}


def _result(found: Survey, plan: Plan, recovered: tuple[str, ...], started: float) -> UpResult:
    return UpResult(
        lab=found.lab,
        uri=found.host.uri,
        virt_type=found.report.virt_type,
        plan=plan,
        preflight=found.report,
        outcomes=(),
        verify=None,
        seconds=time.monotonic() - started,
        recovered=recovered,
    )
