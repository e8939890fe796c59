"""The wires that the fabric shorthand makes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from labctl.model.lab import Endpoint, Role
from labctl.model.platform import InterfaceNames
from labctl.topology.document import Path
from labctl.topology.schema import FabricShape

PEER_WIRES = 2
"""Wires of a peer link, on the ports after those to the spines."""
_Wire = tuple[Endpoint, Endpoint, Path]
_Names = Mapping[str, Sequence[str]]


def wires(fabric: FabricShape, name_of: _Names) -> Iterator[_Wire]:
    """Borders, then leaves, each to every spine; the leaves of a pair; the hosts of each leaf.

    Borders come first on a spine, so that a further leaf leaves all wires where they are. The
    paths are the keys that ask for the wires.
    """
    spines = [f"{Role.SPINE}-{n}" for n in range(1, fabric.spines + 1)]
    leaves = [f"{Role.LEAF}-{n}" for n in range(1, fabric.leaves + 1)]
    vteps = [f"{Role.BORDER}-{n}" for n in range(1, fabric.borders + 1)] + leaves
    yield from _fabric_wires(spines, vteps, name_of)
    if fabric.vpc:
        yield from _peer_wires(len(spines), leaves, name_of)
    near = len(spines) + PEER_WIRES * fabric.vpc
    yield from _host_wires(near, fabric.hosts_per_leaf, leaves, name_of)


def port_names(ports_of: Mapping[str, InterfaceNames]) -> _Names:
    """Node name -> its data interfaces' names by number ("" at 0); shared by nodes alike."""
    made: dict[InterfaceNames, list[str]] = {}
    for ports in ports_of.values():
        if ports not in made:
            made[ports] = ["", *(ports.name(n) for n in range(1, ports.maximum + 1))]
    return {name: made[ports] for name, ports in ports_of.items()}


def _fabric_wires(spines: list[str], vteps: list[str], name_of: _Names) -> Iterator[_Wire]:
    for at, vtep in enumerate(vteps, start=1):
        own = name_of[vtep]
        for to, spine in enumerate(spines, start=1):
            yield Endpoint(spine, name_of[spine][at]), Endpoint(vtep, own[to]), ("fabric",)


def _peer_wires(first: int, leaves: list[str], name_of: _Names) -> Iterator[_Wire]:
    for one, other in zip(leaves[::2], leaves[1::2], strict=False):
        for port in range(first + 1, first + 1 + PEER_WIRES):
            ends = Endpoint(one, name_of[one][port]), Endpoint(other, name_of[other][port])
            yield *ends, ("fabric", "vpc")


def _host_wires(first: int, per_leaf: int, leaves: list[str], name_of: _Names) -> Iterator[_Wire]:
    number = 0
    for leaf in leaves:
        for position in range(1, per_leaf + 1):
            number += 1
            host = f"{Role.HOST}-{number}"
            near = Endpoint(leaf, name_of[leaf][first + position])
            yield near, Endpoint(host, name_of[host][1]), ("fabric",)
