"""Everything one node says, parsed: each part is known, or unknown for a reason."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from typing import TypeVar

from labctl.devices.facts import (
    Adjacency,
    BgpVnis,
    DaemonDown,
    EvpnRoute,
    Memory,
    Nve,
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


NOT_ASKED = Unknown("not asked")


@dataclass(frozen=True, slots=True)
class Appliance:
    """What only a switch with an operating system of its own tells.

    `boot`: the image of the next reload, "" where the boot variable isn't set. `route_memory`: MiB
    kept for IPv4 unicast routes. `complaints`: lines of its log about memory. `arp_suppression`:
    whether that is configured; `arp_tcam`: the entries carved for it. `tunnel_peers`: whether the
    tunnel to each is up.
    """

    boot: str | Unknown
    route_memory: int | Unknown
    complaints: tuple[str, ...] | Unknown
    nve: Nve | Unknown = NOT_ASKED
    tunnel_peers: Mapping[IPv4Address, bool] | Unknown = NOT_ASKED
    arp_suppression: bool | Unknown = NOT_ASKED
    arp_tcam: int | Unknown = NOT_ASKED


def _no_routes() -> Mapping[int, tuple[EvpnRoute, ...] | Unknown]:
    return dict.fromkeys((2, 3, 5), NOT_ASKED)


@dataclass(frozen=True, slots=True)
class NodeReading:
    """What one node says about all that labctl checks. `routes` is keyed by EVPN route type.

    `vnis` and `bgp_vnis` are the whole tables; `vni_details` and `bgp_details` hold what was
    asked VNI by VNI. `appliance` is None for a guest that runs on Linux.
    """

    memory: Memory | Unknown
    adjacencies: tuple[Adjacency, ...] | Unknown = NOT_ASKED
    ipv4_peers: Mapping[str, Peer] | Unknown = NOT_ASKED
    evpn_peers: Mapping[str, Peer] | Unknown = NOT_ASKED
    vnis: Mapping[int, Vni] | Unknown = NOT_ASKED
    vni_details: Mapping[int, Vni] = field(default_factory=dict)
    bgp_vnis: BgpVnis | Unknown = NOT_ASKED
    bgp_details: Mapping[int, VniTargets] = field(default_factory=dict)
    routes: Mapping[int, tuple[EvpnRoute, ...] | Unknown] = field(default_factory=_no_routes)
    router_macs: Mapping[int, frozenset[IPv4Address]] | Unknown = NOT_ASKED
    tenants: Mapping[str, TenantVni] | Unknown = NOT_ASKED
    ribs: Mapping[str, tuple[RibRoute, ...] | Unknown] = field(default_factory=dict)
    vxlan_devices: Mapping[int, VxlanDevice] | Unknown = NOT_ASKED
    appliance: Appliance | None = None

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
    problems: dict[str, str] = {}
    for command, parse in choices:
        text = text_of(command)
        if text is None:
            continue
        try:
            return parse(text)
        except DaemonDown as error:
            return Unknown(str(error), daemon_down=True)
        except ParseError as error:
            problems.setdefault(command, f"`{command}` can't be read: {error}")
    return Unknown("; ".join(problems.values()) or _missing([command for command, _ in choices]))


def _missing(commands: Sequence[str]) -> str:
    """Names the first command, and the same one for text where that serves as well."""
    first = commands[0]
    text = first.removesuffix("json").rstrip(" |")
    asked = [first, text] if text != first and text in commands else [first]
    return no_output(*asked)


def no_output(*commands: str) -> str:
    """The reason where nothing was printed by any of these commands, each of which would do."""
    return "no output of " + " or ".join(f"`{command}`" for command in commands)
