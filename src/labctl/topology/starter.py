"""A first topology file, written for someone who has never seen one."""

from __future__ import annotations

from ipaddress import IPv4Network

from labctl.errors import UsageError
from labctl.fabric.addresses import Wanted, fitting_prefix, link_place
from labctl.model.lab import Addressing, LinkAddressing, Node, Role, Routing
from labctl.topology.expand import MOST_NODES

_DEFAULTS = Addressing()
_LARGE_POOLS = Addressing(
    loopbacks=IPv4Network("10.0.0.0/16"),
    vteps=IPv4Network("10.1.0.0/16"),
    links=IPv4Network("10.8.0.0/13"),
)
"""Pools with room for as many nodes as labctl takes."""
_SUBNETS = {True: ("10.10.10.1/24", "10.10.20.1/24"), False: ("10.20.0.1/16", "10.21.0.1/16")}
_MOST_HOSTS_24 = 244

_TEXT = """\
# A VXLAN/EVPN fabric for labctl. `labctl up THIS-FILE` brings it to life;
# `labctl validate THIS-FILE` checks it; docs/reference/topology.md tells all there is.
lab: {name}
platform: {platform}{pad}# device family of the switches
{image}

fabric:
  # Counts make nodes (spine-1, leaf-1, border-1, host-1 ...) and all links between them.
  spines: {spines}
  leaves: {leaves}
  borders: {borders}                  # VTEPs that originate a default route in every VRF
  hosts_per_leaf: {hosts}

  underlay:
    routing: {routing}              # ospf (with iBGP EVPN), or ebgp (one AS per leaf)
    links: {links}          # or {other_links}
  overlay:
    asn: 65000
    replication: ingress
{addressing}
  # A VRF is a tenant; its networks are VLANs stretched over the leaves as VNIs,
  # each with the same gateway address on every leaf that has it.
  vrfs:
    - name: tenant-a
      vni: 50001
      networks:
        - {{name: web, vlan: 10, vni: 10010, gateway: {web}}}
        - {{name: db, vlan: 20, vni: 10020, gateway: {db}}}
        # Only on some leaves:
        # - {{name: backup, vlan: 30, vni: 10030, gateway: 10.30.0.1/24, on: [leaf-1]}}

# What differs for a node: memory, vcpus, image, config, loopback, vtep, asn ...
# nodes:
#   leaf-1: {{vcpus: 2}}

# Further wires, in the devices' own interface names:
# links:
#   - [leaf-1:PORT, leaf-2:PORT]
"""


def starter(
    *,
    name: str,
    spines: int,
    leaves: int,
    borders: int,
    hosts_per_leaf: int,
    platform: str,
    image: str | None,
    routing: Routing,
    links: LinkAddressing,
) -> str:
    """The text of a commented topology file; pools are chosen so that all nodes fit.

    Raises UsageError for counts that make no fabric.
    """
    hosts = leaves * hosts_per_leaf
    if spines < 1 or leaves < 1 or borders < 0 or hosts_per_leaf < 0:
        raise UsageError("a fabric needs one spine and one leaf at least")
    if (count := spines + leaves + borders + hosts) > MOST_NODES:
        raise UsageError(f"{count} nodes are more than labctl takes: {MOST_NODES}")
    web, db = _SUBNETS[hosts <= _MOST_HOSTS_24]
    other = {LinkAddressing.NUMBERED: "unnumbered", LinkAddressing.UNNUMBERED: "numbered"}
    return _TEXT.format(
        name=name,
        platform=platform,
        pad=" " * max(1, 20 - len(platform)),
        image=f"image: {image}" if image else "# image: NAME                # in the image store",
        spines=spines,
        leaves=leaves,
        borders=borders,
        hosts=hosts_per_leaf,
        routing=routing.value,
        links=links.value,
        other_links=other[links],
        addressing=_addressing(spines, leaves, borders),
        web=web,
        db=db,
    )


def _addressing(spines: int, leaves: int, borders: int) -> str:
    """The default pools as a comment where they do, else larger ones."""
    fit = _fit(spines, leaves, borders)
    pools = _DEFAULTS if fit else _LARGE_POOLS
    mark = "# " if fit else ""
    return (
        f"  {mark}addressing: {{loopbacks: {pools.loopbacks}, vteps: {pools.vteps}, "
        f"links: {pools.links}}}\n"
    )


def _fit(spines: int, leaves: int, borders: int) -> bool:
    counts = {Role.SPINE: spines, Role.LEAF: leaves, Role.BORDER: borders}
    wanted = [
        Wanted(_node(role, n), None) for role, count in counts.items() for n in range(1, count + 1)
    ]
    pool = _DEFAULTS.loopbacks
    last = (spines, Role.LEAF, leaves), (spines, Role.BORDER, borders)
    places = [link_place(*place, _DEFAULTS.links.prefixlen) for place in last if place[2]]
    return fitting_prefix(wanted, pool) == pool.prefixlen and None not in places


def _node(role: Role, index: int) -> Node:
    return Node(f"{role}-{index}", role, index, platform="", image="", memory=0, vcpus=0)
