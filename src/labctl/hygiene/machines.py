"""Domains against their labs: strangers, other sizes, disks that nobody uses. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from labctl.hygiene.facts import DomainFact, Facts, LabFact, Layer, Sizing
from labctl.hygiene.merge import mend_of
from labctl.hygiene.words import shell, size, span, virsh
from labctl.model.hygiene import Finding, Mend, MendKind, Severity
from labctl.model.identity import domain_name
from labctl.model.metadata import LabMetadata
from labctl.model.paths import LabPaths
from labctl.preflight.canary import NAME_PREFIX


def check_domains(facts: Facts) -> Iterator[Finding]:
    """Domains no lab knows, and domains that are not as their lab's file says."""
    for fact in facts.domains:
        mark = fact.domain.metadata
        if mark is None:
            yield from _canary(fact)
            continue
        lab = facts.lab(mark.lab)
        if other := _other_home(facts, fact, mark):
            yield _elsewhere(fact, mark, other)
        elif lab is None or (lab.nodes is not None and mark.node not in lab.nodes):
            yield _orphan(fact, mark, lab)
        elif lab.nodes is not None:
            yield from _sizes(fact, mark, lab.nodes[mark.node])
        if fact.domain.memory < mark.memory_floor:
            yield _undersized(fact, mark)


def _canary(fact: DomainFact) -> Iterator[Finding]:
    if fact.domain.name.startswith(NAME_PREFIX):
        yield Finding(
            check="domain",
            severity=Severity.WARN,
            subject=fact.domain.name,
            message="a KVM canary is there",
            meaning="it lives for seconds; one that stays was left by a killed preflight",
            command=virsh(fact.uri, "destroy", fact.domain.name),
            evidence={"uri": fact.uri},
        )


def _other_home(facts: Facts, fact: DomainFact, mark: LabMetadata) -> str:
    """The folder of another labctl that its disk is in; "" where there is none."""
    below = f"/labs/{mark.lab}/nodes/{mark.node}/"
    for disk in fact.domain.disks:
        folder, found, _ = disk.partition(below)
        if found and Path(folder) != facts.home:
            return folder
    return ""


def _elsewhere(fact: DomainFact, mark: LabMetadata, home: str) -> Finding:
    return Finding(
        check="domain",
        severity=Severity.NOTE,
        subject=fact.domain.name,
        message=f"lab {mark.lab} belongs to another LABCTL_HOME, {home}",
        meaning="its file and its disks are judged there",
        command=f"LABCTL_HOME={shell(home)} labctl hygiene",
        evidence={"uri": fact.uri, "home": home},
    )


def _orphan(fact: DomainFact, mark: LabMetadata, lab: LabFact | None) -> Finding:
    node = f"node {mark.node} of lab {mark.lab}"
    return Finding(
        check="domain",
        severity=Severity.WARN,
        subject=fact.domain.name,
        message=f"no lab knows it: it says it is {node}, "
        + ("whose file has no such node" if lab else "which has no folder here"),
        meaning="it holds memory, ports and disk space, and no command of the lab reaches it",
        command=f"labctl up {mark.lab}" if lab else f"labctl destroy {mark.lab}",
        evidence={"uri": fact.uri, "lab": mark.lab, "node": mark.node},
    )


def _sizes(fact: DomainFact, mark: LabMetadata, wanted: Sizing) -> Iterator[Finding]:
    """What runs and what would start next, against the file."""
    live = Sizing(fact.domain.memory, fact.domain.vcpus)
    found = {"it has": live} | ({"its definition has": fact.defined} if fact.defined else {})
    wrong = {where: sizing for where, sizing in found.items() if sizing != wanted}
    if wrong:
        told = "; ".join(f"{where} {s.memory} MiB, {s.vcpus} vCPUs" for where, s in wrong.items())
        yield Finding(
            check="sizing",
            severity=Severity.WARN,
            subject=fact.domain.name,
            message=f"{told}; its file says {wanted.memory} MiB, {wanted.vcpus} vCPUs",
            meaning="somebody changed the machine behind labctl's back",
            command=f"labctl up {mark.lab} --node {mark.node}",
            evidence={
                "uri": fact.uri,
                "live": live._asdict(),
                "defined": fact.defined._asdict() if fact.defined else None,
                "wanted": wanted._asdict(),
            },
        )


def _undersized(fact: DomainFact, mark: LabMetadata) -> Finding:
    return Finding(
        check="sizing",
        severity=Severity.WARN,
        subject=fact.domain.name,
        message=f"{fact.domain.memory} MiB, its software needs {mark.memory_floor} MiB",
        meaning="it may drop routes while its sessions stay Established",
        command=f"labctl up {mark.lab} --node {mark.node}  # once its file says "
        f"`memory: {mark.memory_floor} MiB`",
        evidence={
            "uri": fact.uri,
            "memory": fact.domain.memory,
            "memory_floor": mark.memory_floor,
        },
    )


def check_overlays(facts: Facts) -> Iterator[Finding]:
    """Disks that no domain uses; silent where some domains could not be looked at."""
    if facts.blind:
        return
    used = facts.in_use
    for lab in facts.labs:
        here = [d for d in facts.domains if d.domain.metadata and d.domain.metadata.lab == lab.name]
        merged = {path for layers in lab.merging.values() for path in layers}
        for layer in () if lab.locked_by else lab.overlays:
            if layer.path not in used | merged:
                yield _unused(facts, layer, _lab_command(lab, layer, has_domains=bool(here)))
    for layer in facts.pool_overlays:
        if layer.path not in used:
            yield _unused(facts, layer, shell("rm", layer.path))


def _lab_command(lab: LabFact, layer: Layer, *, has_domains: bool) -> str:
    if not has_domains:
        return f"labctl destroy {lab.name}"
    nodes = LabPaths(lab.folder)
    own = lab.nodes is not None and layer.path in [nodes.node(n).overlay for n in lab.nodes]
    return f"labctl up {lab.name}" if own else shell("rm", layer.path)


def _unused(facts: Facts, layer: Layer, command: str) -> Finding:
    return Finding(
        check="overlay",
        severity=Severity.WARN,
        subject=str(layer.path),
        message=f"no domain uses it: {size(layer.used)}, last written "
        f"{span(facts.now - layer.modified)} ago",
        meaning="left by a machine that is gone, or by a snapshot that was merged or thrown away "
        f"(looked at: {', '.join(each.uri for each in facts.connections)})",
        command=command,
        evidence={"bytes": layer.used, "backing": str(layer.backing or "")},
    )


def check_merges(facts: Facts) -> Iterator[Finding]:
    """Merges that a killed run of `hygiene --fix` left."""
    there = {fact.domain.name: fact for fact in facts.domains}
    for lab in facts.labs:
        for node in () if lab.locked_by else lab.merging:
            name = domain_name(lab.name, node)
            if fact := there.get(name):
                bare = Mend(MendKind.MERGE, name, lab.name, node, fact.uri)
                yield Finding(
                    check="merge",
                    severity=Severity.WARN,
                    subject=name,
                    message="a merge of its layers was cut off",
                    meaning="nothing is lost: its disk is as it was, or merged whole",
                    command="labctl hygiene --fix",
                    evidence={"layers": list(map(str, lab.merging[node]))},
                    mend=mend_of(facts, fact) or bare,
                )
