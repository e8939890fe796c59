"""What `labctl hygiene` finds, and what `--fix` may do about it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple

_SHOWN = 10
"""So many snapshots are named; cron jobs have left thousands."""


class Severity(StrEnum):
    """How much a finding weighs. Notes alone leave a host clean."""

    BAD = "bad"
    WARN = "warn"
    NOTE = "note"


class MendKind(StrEnum):
    """What `--fix` does by itself: nothing that could lose a byte somebody may want."""

    MERGE = "merge layers"
    REMOVE_FILE = "remove file"
    REMOVE_FOLDER = "remove empty folder"
    REMOVE_LOCK = "remove lock"
    VERIFY_IMAGE = "verify image"
    END_JOURNAL = "end the journal of a killed --fix"


class Mend(NamedTuple):
    """One thing to do. `subject` is a path, an image's name, or the domain of a merge."""

    kind: MendKind
    subject: str
    lab: str = ""
    node: str = ""
    uri: str = ""
    """Of a merge: the hypervisor its domain is on."""
    layers: int = 0
    """Of a merge: how many go into the node's own disk."""
    snapshots: tuple[str, ...] = ()
    """Of a merge: others' snapshots that are forgotten with the layers."""

    @property
    def lost(self) -> str:
        """What can't be had again afterwards; "" for nothing."""
        if not self.snapshots:
            return ""
        shown = ", ".join(self.snapshots[:_SHOWN])
        more = len(self.snapshots) - _SHOWN
        named = f"{shown} and {more} more" if more > 0 else shown
        return f"{_count(len(self.snapshots), 'snapshot')} can't be gone back to then: {named}"

    def __str__(self) -> str:
        if self.layers:
            layers = _count(self.layers, "layer")
            return f"merge {layers} into the disk of {self.lab} {self.node}"
        if self.snapshots:
            return f"forget merged snapshots of {self.lab} {self.node}"
        where = f" of {self.node} in {self.lab}" if self.node else ""
        return f"{self.kind.value}{where}: {self.subject}"


class Finding(NamedTuple):
    """One finding: what, why it matters, the command that mends it. `evidence` is JSON-ready."""

    check: str
    severity: Severity
    subject: str
    message: str
    meaning: str
    command: str = ""
    evidence: Mapping[str, object] = MappingProxyType({})
    mend: Mend | None = None
    """What `--fix` would do; None where only a person can decide."""


class HygieneReport(NamedTuple):
    """All findings, the worst first, and what was looked at."""

    uris: tuple[str, ...]
    findings: tuple[Finding, ...]

    @property
    def clean(self) -> bool:
        return all(finding.severity is Severity.NOTE for finding in self.findings)

    @property
    def mends(self) -> tuple[Mend, ...]:
        """What `--fix` would do, each thing once, in the order of the findings."""
        return tuple(dict.fromkeys(f.mend for f in self.findings if f.mend is not None))


class Mended(NamedTuple):
    """How one mend went. `error` "" means well; `words` says what was done."""

    mend: Mend
    words: str = ""
    error: str = ""
    advice: str = ""


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
