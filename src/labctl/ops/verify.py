"""Intent against what the devices say, live or from saved output."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from labctl.errors import VerifyFailed
from labctl.fabric.intent import build
from labctl.hypervisor.api import DomainState, Hypervisor, ObservedDomain
from labctl.model.intent import Intent
from labctl.model.platform import Platform
from labctl.ops.asking import asker
from labctl.ops.belongings import domains_of
from labctl.ops.context import Context
from labctl.ops.events import StepDone, StepStarted
from labctl.ops.load import load_lab
from labctl.ops.lock import Holder, holder
from labctl.ops.patience import Patience
from labctl.ops.target import chosen
from labctl.verify.checks import checks
from labctl.verify.collect import collect
from labctl.verify.files import read_evidence
from labctl.verify.model import VerifyReport

CONVERGENCE_SECONDS = 180.0
"""How long a fabric whose last node has just become ready may take until all routes are there:
OSPF's dead interval (40 s), BGP's connect retry and slow guests under TCG, with room."""
_PAUSE_SECONDS = 2.0
_WIDTH = 8


def verify_live(ctx: Context, ref: str, *, wait: float = 0.0) -> VerifyReport:
    """Ask the running lab. With `wait`, ask again for so many seconds until it is healthy.

    Raises UsageError when the lab isn't there, VerifyFailed when none of its machines runs.
    """
    from labctl.topology.platforms import load_platforms

    lab = load_lab(ref, ctx.home)
    platforms = load_platforms()
    intent = build(lab, platforms, management_subnet=None)
    lock = ctx.home.lab(lab.name).lock
    with contextlib.closing(ctx.connect(ctx.uri)) as hypervisor:
        busy = holder(lock)
        _need_a_machine(lab.name, chosen(lab.name, hypervisor, ()), busy)
        report = verify_until_healthy(ctx, hypervisor, intent, platforms, wait=wait)
    busy = busy or holder(lock)
    return replace(report, notes=(*report.notes, _at_work(busy))) if busy else report


def _need_a_machine(lab: str, domains: Mapping[str, ObservedDomain], busy: Holder | None) -> None:
    if not any(domain.state is DomainState.RUNNING for domain in domains.values()):
        states = sorted({domain.state.value for domain in domains.values()})
        raise VerifyFailed(
            f"no machine of {lab} runs: {' or '.join(states)}",
            resolution=_at_work(busy) if busy else f"start it: labctl up {lab}",
        )


def _at_work(busy: Holder) -> str:
    return (
        f"another run is at work on the lab: {busy}; what fails may be its doing, so verify again "
        "when it has ended"
    )


def verify_from(ctx: Context, ref: str, folder: Path) -> VerifyReport:
    """Judge saved show output (NODE__COMMAND.json or .txt); no lab need run."""
    from labctl.topology.platforms import load_platforms

    lab = load_lab(ref, ctx.home)
    platforms = load_platforms()
    intent = build(lab, platforms, management_subnet=None)
    return checks(intent, read_evidence(folder, set(intent.nodes)), platforms)


def verify_until_healthy(
    ctx: Context,
    hypervisor: Hypervisor,
    intent: Intent,
    platforms: Mapping[str, Platform],
    *,
    wait: float = CONVERGENCE_SECONDS,
    awakening: Collection[str] = (),
) -> VerifyReport:
    """The first healthy report, or the last one when `wait` seconds have passed.

    Ends before where only what somebody must mend keeps the fabric from being healthy. Nodes that
    are `awakening` have just gone on from saved memory.
    """
    started, patience = time.monotonic(), Patience(intent)
    ctx.emit(StepStarted("verify"))
    while True:
        report = _ask(ctx, hypervisor, intent, platforms, awakening)
        awakening = ()
        seconds = time.monotonic() - started
        note = report.summary
        if report.healthy is not False or seconds > wait:
            break
        if patience.is_over(report, seconds):
            note += "; waiting does not mend it"
            break
        if news := patience.news(report, seconds):
            ctx.emit(news)
        if ctx.interrupt.wait(_PAUSE_SECONDS):
            break
    ctx.emit(StepDone("verify", seconds, note=note))
    return report


def _ask(
    ctx: Context,
    hypervisor: Hypervisor,
    intent: Intent,
    platforms: Mapping[str, Platform],
    awakening: Collection[str],
) -> VerifyReport:
    platform_of = {name: platforms[node.node.platform] for name, node in intent.nodes.items()}
    ask = asker(ctx, hypervisor, intent.lab.name, platform_of, awakening=awakening)
    with ThreadPoolExecutor(_WIDTH, thread_name_prefix="verify") as pool:
        evidence = collect(intent, platforms, ask, pool)
    evidence = replace(evidence, unplugged=_unplugged(hypervisor, intent.lab.name))
    return checks(intent, evidence, platforms)


def _unplugged(hypervisor: Hypervisor, lab: str) -> frozenset[str]:
    domains = domains_of(lab, hypervisor.domains())
    return frozenset(f"{node}:{end}" for node, each in domains.items() for end in each.unplugged())
