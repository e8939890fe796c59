"""Intent against evidence: the one function the rest of labctl calls. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from labctl.model.intent import Intent
from labctl.model.platform import Platform
from labctl.verify.appliance import appliance_checks
from labctl.verify.causes.cables import remarks
from labctl.verify.causes.find import find_causes
from labctl.verify.control import node_checks, session_checks, underlay_checks
from labctl.verify.evidence import Evidence
from labctl.verify.fabric import Fabric
from labctl.verify.files import as_files
from labctl.verify.model import Check, Status, VerifyReport, make_report
from labctl.verify.overlay import overlay_checks
from labctl.verify.pings import heard, ping_checks
from labctl.verify.tenants import tenant_checks


def checks(intent: Intent, evidence: Evidence, platforms: Mapping[str, Platform]) -> VerifyReport:
    """Hold every node to what it was told, and name the probable causes of what fails.

    What there is no evidence for is NOT_CHECKED, never passed.
    """
    fabric = Fabric(intent, evidence, platforms)
    found = tuple(_why_open(check, evidence) for check in _all_checks(fabric))
    causes = find_causes(fabric, found)
    named = [end for cause in causes for end in cause.unplugged]
    pulled = remarks(intent.lab.name, evidence.unplugged or (), named)
    return make_report(intent.lab.name, found, causes, (*evidence.notes, *pulled))


def _all_checks(fabric: Fabric) -> Iterator[Check]:
    yield from node_checks(fabric)
    yield from appliance_checks(fabric)
    yield from underlay_checks(fabric)
    yield from session_checks(fabric)
    yield from overlay_checks(fabric, heard(fabric))
    yield from tenant_checks(fabric)
    yield from ping_checks(fabric)


def _why_open(check: Check, evidence: Evidence) -> Check:
    """A check that could not be made says what to do about it, where that is known."""
    if check.status is not Status.NOT_CHECKED:
        return check
    if check.node in evidence.held:
        return replace(check, seen=evidence.held[check.node])
    return replace(check, seen=as_files(check.node, check.seen)) if evidence.saved else check
