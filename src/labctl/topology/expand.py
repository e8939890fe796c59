"""The fabric shorthand and the written-out nodes and links, as one list of each."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import NamedTuple

from labctl.model.fit import with_most_ports
from labctl.model.lab import Endpoint, Role
from labctl.model.platform import Platform
from labctl.topology.document import Document, Path
from labctl.topology.schema import FabricShape, NodeShape, TopologyFile
from labctl.topology.suggest import suggest
from labctl.topology.wires import PEER_WIRES, port_names, wires

HOST_PLATFORM = "linux"
MOST_NODES = 8192
_DIGITS = re.compile(r".*?([0-9]+)")
COUNTS = {
    "spines": (Role.SPINE,),
    "leaves": (Role.LEAF, Role.HOST),
    "borders": (Role.BORDER,),
    "hosts_per_leaf": (Role.HOST,),
}
"""The shorthand's counts, and the nodes that each makes."""


@dataclass(slots=True)
class DraftNode:
    """A node before it is checked. `path` is where the file speaks of it."""

    name: str
    role: Role
    index: int
    platform: Platform
    shape: NodeShape
    path: Path
    image: str
    software: str


class DraftLink(NamedTuple):
    """A wire before it is checked."""

    a: Endpoint
    b: Endpoint
    path: Path

    def __str__(self) -> str:
        return f"{self.a} -- {self.b}"


@dataclass(slots=True)
class Draft:
    """All nodes and wires. `unusable` names the nodes already found wrong, so left out.

    `complete` is False when parts of the file were, so that what is missing may be no fault;
    so is `knows_networks` for who has which network. `guessed_platform` names the nodes whose
    platform the file gives, but wrongly, so that the default stands in.
    """

    nodes: dict[str, DraftNode] = field(default_factory=dict)
    links: list[DraftLink] = field(default_factory=list)
    unusable: set[str] = field(default_factory=set)
    complete: bool = True
    knows_networks: bool = True
    guessed_platform: set[str] = field(default_factory=set)


def expand(file: TopologyFile, platforms: Mapping[str, Platform], document: Document) -> Draft:
    """All nodes, then all links, of the shorthand and written out; problems go to `document`."""
    draft = Draft()
    made = _shorthand_nodes(file.fabric)
    written = file.nodes or {}
    if not made and not written and not _may_have_nodes(document):
        document.report((), "the lab has no nodes", "give fabric: spines and leaves, or nodes:")
    if len(made) + len(written) > MOST_NODES:
        message = f"{len(made) + len(written)} nodes are more than labctl takes: {MOST_NODES}"
        document.report(("fabric",), message, key=True)
        draft.unusable = {*made, *written}
        return draft
    roles = {**{name: role for name, (role, _) in made.items()}}
    for name, shape in written.items():
        _take_role(name, shape or NodeShape(), roles, made, document)
    indexes = _indexes(roles, made)
    for name in [*made, *(name for name in written if name not in made)]:
        shape = written.get(name) or NodeShape()
        path: Path = ("nodes", name) if name in written else ("fabric",)
        role = roles.get(name)
        platform = role and _platform(file, role, shape, path, platforms, document)
        if role and platform:
            draft.nodes[name] = _draft_node(name, role, indexes[name], platform, shape, path, file)
        else:
            draft.unusable.add(name)
        if _is_platform_lost(name, shape, document):
            draft.guessed_platform.add(name)
    if not draft.unusable.intersection(made):
        draft.links = _shorthand_links(file.fabric, draft, document)
    draft.links += _written_links(file)
    return draft


def _draft_node(
    name: str,
    role: Role,
    index: int,
    platform: Platform,
    shape: NodeShape,
    path: Path,
    file: TopologyFile,
) -> DraftNode:
    """The node, with its platform as its image has it."""
    is_lab_platform = role.is_switch and platform.name == file.platform
    image = shape.image or (file.image if is_lab_platform else None) or platform.default_image
    software = shape.software or (file.software if is_lab_platform and not shape.image else None)
    fitting = with_most_ports(platform, software or image)
    return DraftNode(name, role, index, fitting, shape, path, image, software or "")


def may_exist(name: str, document: Document) -> bool:
    """Whether a node that isn't there may only be so for want of what was wrong in the file."""
    return document.lost(("nodes", name)) or _may_make(name, document) is not None


def _may_make(name: str, document: Document) -> Role | None:
    """The role of a node that the shorthand might make, if a count that is wrong were known."""
    role, _, number = name.rpartition("-")
    for key, roles in COUNTS.items():
        if number.isdecimal() and role in roles and document.lost(("fabric", key)):
            return Role(role)
    return None


def _may_have_nodes(document: Document) -> bool:
    """Whether anything that would have made nodes was wrong."""
    return any(path[0] in ("fabric", "nodes") for path in document.dropped)


def _is_platform_lost(name: str, shape: NodeShape, document: Document) -> bool:
    lost = document.lost(("nodes", name, "platform"))
    return lost or (shape.platform is None and document.lost(("platform",)))


def check_platform(
    file: TopologyFile, platforms: Mapping[str, Platform], document: Document
) -> None:
    """Report the lab's own platform if there is none of that name."""
    if file.platform not in platforms:
        hint = suggest(file.platform, platforms)
        document.report(("platform",), f"there is no platform {file.platform!r}", hint)


def _shorthand_nodes(fabric: FabricShape) -> dict[str, tuple[Role, int]]:
    counts = {
        Role.SPINE: fabric.spines,
        Role.LEAF: fabric.leaves,
        Role.BORDER: fabric.borders,
        Role.HOST: fabric.leaves * fabric.hosts_per_leaf,
    }
    return {f"{role}-{n}": (role, n) for role, count in counts.items() for n in range(1, count + 1)}


def _take_role(
    name: str,
    shape: NodeShape,
    roles: dict[str, Role],
    made: Mapping[str, tuple[Role, int]],
    document: Document,
) -> None:
    """Note a written node's role, or what is wrong with it."""
    path: Path = ("nodes", name)
    if name in made:
        if shape.role not in (None, made[name][0]):
            message = f"{name} is a {made[name][0]} made by the fabric shorthand, no {shape.role}"
            document.report((*path, "role"), message, "write it out under another name")
    elif role := shape.role or _may_make(name, document):
        roles[name] = Role(role)
    elif not document.lost((*path, "role")):
        hint = document.suggest(name, made)
        if not hint.startswith("did you mean"):
            hint = "give it a role: spine, leaf, border or host"
        message = f"node {name!r} is none that the fabric makes, and has no role"
        document.report(path, message, hint, key=True)


def _indexes(roles: Mapping[str, Role], made: Mapping[str, tuple[Role, int]]) -> Mapping[str, int]:
    """Each node's number among its role's: the one its name ends with if that is free."""
    indexes = {name: number for name, (_, number) in made.items()}
    used = set(made.values())
    nameless = []
    for name, role in roles.items():
        if name in made:
            continue
        found = _DIGITS.fullmatch(name)
        number = int(found[1]) if found else 0
        if 0 < number <= MOST_NODES and (role, number) not in used:
            indexes[name] = number
            used.add((role, number))
        else:
            nameless.append(name)
    free = {role: (n for n in count(1) if (role, n) not in used) for role in Role}
    return {**indexes, **{name: next(free[roles[name]]) for name in nameless}}


def _platform(
    file: TopologyFile,
    role: Role,
    shape: NodeShape,
    path: Path,
    platforms: Mapping[str, Platform],
    document: Document,
) -> Platform | None:
    name = shape.platform or (file.platform if role.is_switch else HOST_PLATFORM)
    at: Path = (*path, "platform") if shape.platform else ("platform",)
    if (platform := platforms.get(name)) is None:
        if name != file.platform or shape.platform:  # the lab's own: check_platform
            document.report(at, f"there is no platform {name!r}", suggest(name, platforms))
    elif role not in platform.roles:
        fit = ", ".join(p.name for p in platforms.values() if role in p.roles)
        message = f"platform {name!r} can't be a {role}"
        document.report(at, message, f"platforms that can: {fit or 'none'}")
        return None
    return platform


def _shorthand_links(fabric: FabricShape, draft: Draft, document: Document) -> list[DraftLink]:
    """The wires of the shorthand's nodes; none where a node lacks ports for them."""
    spines = [f"{Role.SPINE}-{n}" for n in range(1, fabric.spines + 1)]
    leaves = [f"{Role.LEAF}-{n}" for n in range(1, fabric.leaves + 1)]
    vteps = [f"{Role.BORDER}-{n}" for n in range(1, fabric.borders + 1)] + leaves
    near = len(spines) + PEER_WIRES * fabric.vpc
    needed = {
        **dict.fromkeys(spines, (len(vteps), "leaves")),
        **dict.fromkeys(vteps, (len(spines), "spines")),
        **dict.fromkeys(leaves, (near + fabric.hosts_per_leaf, "hosts_per_leaf")),
    }
    for name, (ports, key) in needed.items():
        platform = draft.nodes[name].platform
        if ports > platform.interfaces.maximum:
            message = f"{name} would need {ports} ports; platform {platform.name} has "
            document.report(("fabric", key), f"{message}{platform.interfaces.maximum}")
            return []
    ports_of = {name: node.platform.interfaces for name, node in draft.nodes.items()}
    return [DraftLink(a, b, path) for a, b, path in wires(fabric, port_names(ports_of))]


def _written_links(file: TopologyFile) -> Iterator[DraftLink]:
    for index, ends in enumerate(file.links or ()):
        a, b = (Endpoint(*end.split(":", 1)) for end in ends)
        yield DraftLink(a, b, ("links", index))
