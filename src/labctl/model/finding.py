"""What preflight finds: every finding at once, each with its evidence."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple


class Severity(StrEnum):
    """How much a finding weighs. Only `refuse` stops `up`."""

    REFUSE = "refuse"
    WARN = "warn"
    NOTE = "note"
    OK = "ok"


class Finding(NamedTuple):
    """One finding. `evidence` holds the numbers behind the message, JSON-ready."""

    check: str
    severity: Severity
    message: str
    resolution: str = ""
    nodes: tuple[str, ...] = ()
    evidence: Mapping[str, object] = MappingProxyType({})


class PreflightReport(NamedTuple):
    """All findings, and the virt type (kvm, qemu, test) the lab will run with."""

    lab: str
    uri: str
    virt_type: str
    findings: tuple[Finding, ...]

    @property
    def refusals(self) -> tuple[Finding, ...]:
        return tuple(f for f in self.findings if f.severity is Severity.REFUSE)

    @property
    def refused(self) -> bool:
        return bool(self.refusals)
