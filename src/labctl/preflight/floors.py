"""Has every node the memory its software needs? With less, a Nexus runs and forwards wrongly."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from labctl.model.finding import Finding, Severity
from labctl.model.fit import fit_node, rule_for
from labctl.model.intent import NodeIntent
from labctl.model.platform import Platform
from labctl.preflight.facts import Facts


@dataclass(frozen=True, slots=True)
class _Shortage:
    """Nodes alike in having less memory (MiB) than the floor."""

    memory: int
    floor: int
    source: str
    allowed: bool


def check_floors(facts: Facts) -> Iterable[Finding]:
    """Less memory than the node's software needs, unless the file allows it; unknown software."""
    yield from _unknown_software(facts)
    short: dict[_Shortage, list[str]] = {}
    for name, node in facts.intent.nodes.items():
        needs = _needs(facts, node)
        if node.node.memory < needs.memory_floor:
            key = _Shortage(
                node.node.memory,
                needs.memory_floor,
                needs.memory_floor_source,
                node.node.allow_undersized,
            )
            short.setdefault(key, []).append(name)
    for shortage, nodes in short.items():
        yield _finding(shortage, tuple(nodes))
    if not short:
        yield Finding("memory floor", Severity.OK, "every node has the memory its software needs")


def _needs(facts: Facts, node: NodeIntent) -> Platform:
    return fit_node(facts.platforms[node.node.platform], node.node, _ports(node))


def _ports(node: NodeIntent) -> Iterator[int]:
    return (port.number for port in node.ports)


def _finding(shortage: _Shortage, nodes: tuple[str, ...]) -> Finding:
    have = "has" if len(nodes) == 1 else "have"
    message = (
        f"{', '.join(nodes)} {have} {shortage.memory} MiB, less than the {shortage.floor} MiB "
        f"needed: {shortage.source}"
    )
    return Finding(
        "memory floor",
        Severity.WARN if shortage.allowed else Severity.REFUSE,
        message + "; the file allows it" * shortage.allowed,
        ""
        if shortage.allowed
        else f"give them {shortage.floor} MiB or more, or set `allow_undersized: true` in the file",
        nodes=nodes,
        evidence={"memory_mib": shortage.memory, "floor_mib": shortage.floor},
    )


def _unknown_software(facts: Facts) -> Iterator[Finding]:
    """The floor is then the strictest; that is said aloud."""
    unknown: dict[tuple[str, str], list[str]] = {}
    for name, node in facts.intent.nodes.items():
        platform = facts.platforms[node.node.platform]
        image = node.node.software or node.node.image
        if platform.releases and rule_for(platform, image, max(_ports(node), default=0)) is None:
            unknown.setdefault((platform.name, image), []).append(name)
    for (family, image), nodes in unknown.items():
        needs = _needs(facts, facts.intent.nodes[nodes[0]])
        yield Finding(
            "software",
            Severity.WARN,
            f"the name {image!r} tells no release of {family} that labctl knows: "
            f"the strictest memory floor holds, {needs.memory_floor} MiB",
            "say what the image holds, by the vendor's name: `software: nxosv9k-7.0.3.I7.4`",
            nodes=tuple(nodes),
        )
