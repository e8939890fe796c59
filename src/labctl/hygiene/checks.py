"""Every check on every fact, the worst first. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from labctl.hygiene.chains import check_chains, check_snapshots
from labctl.hygiene.facts import ConnectionFact, Facts
from labctl.hygiene.golden import check_images, check_store, check_writers
from labctl.hygiene.leftovers import check_labs, check_leftovers
from labctl.hygiene.machines import check_domains, check_merges, check_overlays
from labctl.hygiene.room import check_room
from labctl.hygiene.words import virsh
from labctl.model.hygiene import Finding, HygieneReport, MendKind, Severity

_ORDER = list(Severity)
_UNCONFINED = (12, 1, 0)
"""libvirt's virt-aa-helper lets backing files be written to since then (facts: OpenNebula/one
issue 6565, one-deploy issue 294)."""


def check(facts: Facts) -> HygieneReport:
    """All that there is to say."""
    found = [
        *check_connections(facts),
        *check_writers(facts),
        *check_images(facts),
        *check_chains(facts),
        *check_snapshots(facts),
        *check_merges(facts),
        *check_domains(facts),
        *check_overlays(facts),
        *check_labs(facts),
        *check_leftovers(facts),
        *check_store(facts),
        *check_room(facts),
    ]
    found += check_apparmor(facts, found)
    found.sort(key=lambda finding: _ORDER.index(finding.severity))
    return HygieneReport(tuple(each.uri for each in facts.connections), tuple(found))


def check_connections(facts: Facts) -> Iterator[Finding]:
    """What could not be looked at is said."""
    for each in facts.connections:
        for words in each.trouble:
            yield _not_seen(each, words)
        if not each.is_local:
            yield Finding(
                check="hypervisor",
                severity=Severity.NOTE,
                subject=each.uri,
                message="another host's: disks, chains and files there were not looked at",
                meaning="libvirt tells of its machines, snapshots and pools; of files it does not",
                command="labctl hygiene  # on that host",
            )


def _not_seen(each: ConnectionFact, words: str) -> Finding:
    return Finding(
        check="hypervisor",
        severity=Severity.BAD,
        subject=each.uri,
        message=words,
        meaning="nothing is known of what was not looked at; disks that no domain seems to use "
        "are not told",
        command=virsh(each.uri, "list", "--all"),
    )


def check_apparmor(facts: Facts, found: list[Finding]) -> Iterator[Finding]:
    """Where layers are to be merged while the machine runs, and AppArmor will refuse it."""
    for each in facts.connections:
        waiting = [
            finding.subject
            for finding in found
            if finding.mend and finding.mend.kind is MendKind.MERGE and finding.mend.uri == each.uri
        ]
        running = {d.domain.name for d in each.domains if not d.is_off} & set(waiting)
        old = _version(each.libvirt_version) < _UNCONFINED
        if running and old and facts.apparmor and each.is_local:
            yield Finding(
                check="apparmor",
                severity=Severity.NOTE,
                subject=each.uri,
                message=f"libvirt {each.libvirt_version} under AppArmor may refuse to merge "
                f"layers of running machines: {', '.join(sorted(running))}",
                meaning='its virt-aa-helper denies writing to backing files ("Permission '
                'denied"); fixed in libvirt 12.1.0',
                command="labctl down LAB && labctl hygiene --fix  # off, qemu-img merges",
            )


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(".") if part.isdigit())
