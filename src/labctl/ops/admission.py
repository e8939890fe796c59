"""May this lab onto this host? Gathers the facts and has them judged, before anything changes."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from time import monotonic

from labctl.hypervisor.api import HostFacts, Hypervisor, ObservedDomain, ObservedNetwork
from labctl.images.store import ImageStore
from labctl.model.finding import PreflightReport
from labctl.model.intent import Intent
from labctl.model.lab import Endpoint
from labctl.model.paths import Home
from labctl.model.platform import Platform
from labctl.ops.events import EventSink, StepDone, StepStarted
from labctl.preflight.checks import check
from labctl.preflight.gather import gather

_STEP = "preflight"


def preflight(
    hypervisor: Hypervisor,
    home: Home,
    *,
    intent: Intent,
    platforms: Mapping[str, Platform],
    store: ImageStore,
    ports: Mapping[Endpoint, int],
    host: HostFacts,
    domains: tuple[ObservedDomain, ...],
    networks: tuple[ObservedNetwork, ...],
    emit: EventSink,
    anew: Collection[str] = (),
) -> PreflightReport:
    """Every finding at once. Refusals are findings, not errors.

    Raises HypervisorError when the connection is lost.
    """
    emit(StepStarted(_STEP))
    started = monotonic()
    facts = gather(
        hypervisor,
        home,
        intent=intent,
        platforms=platforms,
        store=store,
        ports=ports,
        host=host,
        domains=domains,
        networks=networks,
        anew=anew,
    )
    report = check(facts)
    note = f"{len(report.refusals)} refusals" if report.refused else ""
    emit(StepDone(_STEP, monotonic() - started, note=note))
    return report
