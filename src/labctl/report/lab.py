"""What a topology file describes, in short."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from labctl.model.lab import Lab, Role
from labctl.model.pairs import partners
from labctl.report.json import to_data
from labctl.report.paint import Paint, count

_PLURALS = {Role.LEAF: ("leaf", "leaves")}


def lab_data(lab: Lab) -> dict[str, Any]:
    """The lab for JSON: all but the file's own text."""
    data: dict[str, Any] = to_data(lab)
    del data["text"]
    return data


def lab_lines(lab: Lab, paint: Paint) -> list[str]:
    """That the file is right, and what is in it."""
    vrfs = lab.fabric.vrfs
    networks = sum(len(vrf.networks) for vrf in vrfs)
    underlay = f"{lab.fabric.routing.value} {lab.fabric.links.value}"
    return [
        f"{lab.source}: {paint('good', 'valid')}",
        f"  lab {lab.name}: {roles(lab)}; {count(len(lab.links), 'link')}",
        f"  underlay {underlay}, {count(len(vrfs), 'VRF')}, {count(networks, 'network')}",
        *_pair_lines(lab),
    ]


def _pair_lines(lab: Lab) -> Iterator[str]:
    """Which leaves are vPC pairs, and which is left without a partner."""
    if not lab.fabric.vpc:
        return
    partner_of = partners(lab.nodes)
    halves = [node for node in lab.nodes if node.name in partner_of and node.index % 2]
    pairs = [f"{node.name} and {partner_of[node.name]}" for node in halves]
    yield f"  vPC pairs: {', '.join(pairs)}"
    single = [n.name for n in lab.nodes if n.role is Role.LEAF and n.name not in partner_of]
    if single:
        yield f"  in no vPC pair, for want of a partner: {', '.join(single)}"


def roles(lab: Lab) -> str:
    """`2 spines, 2 leaves, 2 hosts`."""
    counts = Counter(node.role for node in lab.nodes)
    return ", ".join(_counted(counts[role], role) for role in Role if counts[role])


def _counted(number: int, role: Role) -> str:
    one, many = _PLURALS.get(role, (role.value, f"{role.value}s"))
    return f"{number} {one if number == 1 else many}"
