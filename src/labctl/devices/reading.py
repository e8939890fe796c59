"""Everything one node says, parsed: each part is known, or unknown for a reason."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import TypeVar

from labctl.devices.facts import (
    Adjacency,
    BgpVnis,
    DaemonDown,
    EvpnRoute,
    Memory,
    ParseError,
    Peer,
    RibRoute,
    TenantVni,
    Vni,
    VniTargets,
    VxlanDevice,
)

T = TypeVar("T")
TextOf = Callable[[str], str | None]
"""A command's output, None where there is none."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """Nothing is known, and why. `daemon_down`: because a daemon of the device does not run."""

    reason: str
    daemon_down: bool = False


@dataclass(frozen=True, slots=True)
class NodeReading:
    """What one node says about all that labctl checks. `routes` is keyed by EVPN route type.

    `vnis` and `bgp_vnis` are the whole tables; `vni_details` and `bgp_details` hold what was
    asked VNI by VNI.
    """

    memory: Memory | Unknown
    adjacencies: tuple[Adjacency, ...] | Unknown
    ipv4_peers: Mapping[str, Peer] | Unknown
    evpn_peers: Mapping[str, Peer] | Unknown
    vnis: Mapping[int, Vni] | Unknown
    vni_details: Mapping[int, Vni]
    bgp_vnis: BgpVnis | Unknown
    bgp_details: Mapping[int, VniTargets]
    routes: Mapping[int, tuple[EvpnRoute, ...] | Unknown]
    router_macs: Mapping[int, frozenset[IPv4Address]] | Unknown
    tenants: Mapping[str, TenantVni] | Unknown
    ribs: Mapping[str, tuple[RibRoute, ...] | Unknown]
    vxlan_devices: Mapping[int, VxlanDevice] | Unknown

    def vni(self, number: int) -> Vni | Unknown | None:
        """One L2 or L3 VNI; None when the node is known not to have it."""
        if number in self.vni_details:
            return self.vni_details[number]
        if isinstance(self.vnis, Unknown):
            return self.vnis
        return self.vnis.get(number)

    def targets(self, number: int) -> VniTargets | Unknown | None:
        """One VNI's route targets; None when BGP is known not to have the VNI."""
        if number in self.bgp_details:
            return self.bgp_details[number]
        if isinstance(self.bgp_vnis, Unknown):
            return self.bgp_vnis
        return self.bgp_vnis.vnis.get(number)


def read(text_of: TextOf, *choices: tuple[str, Callable[[str], T]]) -> T | Unknown:
    """The first of `choices` (command, parser) whose output is there and can be read."""
    problems = []
    for command, parse in choices:
        text = text_of(command)
        if text is None:
            continue
        try:
            return parse(text)
        except DaemonDown as error:
            return Unknown(str(error), daemon_down=True)
        except ParseError as error:
            problems.append(f"`{command}` can't be read: {error}")
    return Unknown("; ".join(problems) or f"no output of `{choices[0][0]}`")
