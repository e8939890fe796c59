"""Intent against evidence: the one function the rest of labctl calls. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from labctl.model.intent import Intent
from labctl.model.platform import Platform
from labctl.verify.appliance import appliance_checks
from labctl.verify.causes.cables import remarks
from labctl.verify.causes.find import find_causes
from labctl.verify.control import node_checks, session_checks, underlay_checks
from labctl.verify.evidence import Evidence
from labctl.verify.fabric import Fabric
from labctl.verify.model import VerifyReport, make_report
from labctl.verify.overlay import overlay_checks
from labctl.verify.pings import heard, ping_checks
from labctl.verify.tenants import tenant_checks


def checks(intent: Intent, evidence: Evidence, platforms: Mapping[str, Platform]) -> VerifyReport:
    """Hold every node to what it was told, and name the probable causes of what fails.

    What there is no evidence for is NOT_CHECKED, never passed.
    """
    fabric = Fabric(intent, evidence, platforms)
    found = (
        *node_checks(fabric),
        *appliance_checks(fabric),
        *underlay_checks(fabric),
        *session_checks(fabric),
        *overlay_checks(fabric, heard(fabric)),
        *tenant_checks(fabric),
        *ping_checks(fabric),
    )
    causes = find_causes(fabric, found)
    named = [end for cause in causes for end in cause.unplugged]
    pulled = remarks(intent.lab.name, evidence.unplugged or (), named)
    return make_report(intent.lab.name, found, causes, (*evidence.notes, *pulled))
