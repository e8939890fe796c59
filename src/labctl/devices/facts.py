"""What devices say, without their dialects: the parsers' results, the checks' input."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network

ESTABLISHED = "Established"
ADMIN_DOWN = "Idle (Admin)"
PREFIX_LIMIT = "Idle (PfxCt)"
"""More prefixes came than `maximum-prefix` allows."""


class ParseError(ValueError):
    """A device's output is not what the command prints; the message says why."""


class DaemonDown(ParseError):
    """The device says that a routing daemon of its own does not run."""


@dataclass(frozen=True, slots=True)
class Peer:
    """A BGP session in one address family; `rcvd` and `sent` count prefixes, None if not said."""

    key: str
    """The neighbor's address, or the interface of an unnumbered session."""
    asn: int | None
    state: str
    rcvd: int | None = None
    sent: int | None = None

    @property
    def established(self) -> bool:
        return self.state == ESTABLISHED


@dataclass(frozen=True, slots=True)
class Adjacency:
    """An OSPF neighbour as seen on one interface."""

    router_id: IPv4Address
    interface: str
    state: str

    @property
    def full(self) -> bool:
        return self.state.split("/", 1)[0] == "Full"


@dataclass(frozen=True, slots=True)
class Vni:
    """A VNI as the device's EVPN table has it.

    `remote_vteps` is None where the output gives no addresses (L3 VNIs, text tables);
    `remote_count` then is all that is known. `macs` counts local and remote MACs. `group` is how
    flooded frames go: INGRESS, a multicast group, or "" where the output doesn't say.
    """

    vni: int
    layer: int
    vrf: str = ""
    device: str = ""
    macs: int | None = None
    remote_vteps: frozenset[IPv4Address] | None = None
    remote_count: int | None = None
    state: str = ""
    group: str = ""


INGRESS = "ingress replication"


@dataclass(frozen=True, slots=True)
class VniTargets:
    """A VNI's route targets as BGP uses them; `live`: whether BGP has it from the kernel."""

    vni: int
    imports: frozenset[str]
    exports: frozenset[str]
    live: bool = True


@dataclass(frozen=True, slots=True)
class BgpVnis:
    """BGP's view of the VNIs; `advertise_all` None where the output doesn't say."""

    vnis: dict[int, VniTargets]
    advertise_all: bool | None = None


@dataclass(frozen=True, slots=True)
class EvpnRoute:
    """One EVPN route. `mac` and `address` are a type-2's, `prefix` a type-5's.

    `originator`: a type-3's originating VTEP; `next_hops`: the VTEPs its paths lead to. `vni`: the
    node's own VNI into which the route was let in by its targets, None where the output doesn't
    say; `targets` are empty where it doesn't say those.
    """

    kind: int
    rd: str
    targets: frozenset[str]
    next_hops: frozenset[IPv4Address]
    originator: IPv4Address | None = None
    mac: str = ""
    address: str = ""
    prefix: IPv4Network | None = None
    vni: int | None = None


@dataclass(frozen=True, slots=True)
class TenantVni:
    """The L3 VNI bound to a VRF."""

    vrf: str
    vni: int
    state: str
    router_mac: str = ""

    @property
    def up(self) -> bool:
        return self.state.lower() == "up"


@dataclass(frozen=True, slots=True)
class RibRoute:
    """A route in a VRF's table; only `selected` ones forward."""

    prefix: IPv4Network
    protocol: str
    selected: bool
    next_hops: frozenset[IPv4Address] = frozenset()


@dataclass(frozen=True, slots=True)
class VxlanDevice:
    """A kernel VXLAN interface."""

    vni: int
    name: str
    up: bool


@dataclass(frozen=True, slots=True)
class Memory:
    """In KiB; `available` None where the device doesn't say. `alert`: what it says of it itself."""

    total: int
    available: int | None
    alert: str = ""


@dataclass(frozen=True, slots=True)
class Nve:
    """The interface VXLAN runs over on a device that has one for all VNIs."""

    name: str
    state: str
    source: IPv4Address | None

    @property
    def up(self) -> bool:
        return self.state.lower() == "up"


@dataclass(frozen=True, slots=True)
class PingResult:
    """Echo requests sent (fping does not tell) and answered."""

    sent: int | None
    received: int
