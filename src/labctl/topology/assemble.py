"""From checked drafts to the Lab, reading the configuration files that nodes refer to."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from labctl.errors import LabctlError
from labctl.fabric.wiring import link_kind
from labctl.model.fit import fitted
from labctl.model.intent import LinkKind
from labctl.model.lab import (
    Addressing,
    Endpoint,
    External,
    Fabric,
    Lab,
    Link,
    LinkAddressing,
    Management,
    Network,
    Node,
    Replication,
    Requirements,
    Role,
    Routing,
    Vrf,
)
from labctl.model.retention import Retention
from labctl.model.saved import saved_from
from labctl.topology.check_fabric import networks_of
from labctl.topology.check_nodes import carried_by
from labctl.topology.document import CONTROL, Document, Path
from labctl.topology.expand import Draft, DraftNode
from labctl.topology.schema import ConfigFileShape, FabricShape, TopologyFile, VrfShape
from labctl.topology.snapshots_shape import SnapshotsShape

ReadFile = Callable[[str], str]
_CONFIG_FILE = re.compile(r"\S+\.(cfg|conf|txt)")
"""A `config` of one such word is a file's name: no device has a command like that."""
_FABRIC = Fabric()
_MEBIBYTE = 1024**2


def assemble(
    file: TopologyFile, draft: Draft, document: Document, read_file: ReadFile | None
) -> Lab:
    """The lab; what is wrong with hosts' networks and configuration files is reported."""
    networks = _host_networks(file, draft, document)
    widths = _widths(draft)
    leaves = tuple(node.name for node in draft.nodes.values() if node.role is Role.LEAF)
    subnet = None if isinstance(file.management, bool) else file.management.subnet
    return Lab(
        name=file.lab,
        nodes=tuple(
            _node(
                node,
                file,
                networks.get(node.name, ()),
                _config(node, document, read_file),
                widths[node.name],
            )
            for node in draft.nodes.values()
        ),
        links=tuple(_link(link.a, link.b) for link in draft.links),
        fabric=_fabric(file.fabric, leaves),
        management=Management(enabled=file.management is not False, subnet=subnet),
        requirements=Requirements(**file.host.values()),
        source=document.source,
        text=document.text,
        retention=_retention(file.snapshots),
    )


def _retention(shape: SnapshotsShape) -> Retention:
    return Retention(
        keep_last=shape.keep_last,
        keep_daily=shape.keep_daily,
        max_age=shape.max_age,
        max_size=shape.max_size and shape.max_size * _MEBIBYTE,
        protect=tuple(shape.protect or ()),
    )


def _link(one: Endpoint, other: Endpoint) -> Link:
    swap = (other.node, other.interface) < (one.node, one.interface)
    return Link(other, one) if swap else Link(one, other)


def _widths(draft: Draft) -> Mapping[str, int]:
    """Node name -> the number of its highest wired port, 0 without any."""
    widths = dict.fromkeys(draft.nodes, 0)
    for end in (end for link in draft.links for end in (link.a, link.b)):
        if end.node in widths:
            number = draft.nodes[end.node].platform.interfaces.number(end.interface) or 0
            widths[end.node] = max(widths[end.node], number)
    return widths


def _node(
    node: DraftNode, file: TopologyFile, networks: Sequence[str], config: str, width: int
) -> Node:
    shape = node.shape
    platform = fitted(node.platform, node.software or node.image, width)
    undersized = shape.allow_undersized
    return Node(
        name=node.name,
        role=node.role,
        index=node.index,
        platform=platform.name,
        image=node.image,
        memory=shape.memory or platform.memory,
        vcpus=shape.vcpus or platform.vcpus,
        loopback=shape.loopback,
        vtep=shape.vtep,
        asn=shape.asn,
        extra_config=config,
        hypervisor=shape.hypervisor,
        networks=tuple(networks),
        software=node.software,
        allow_undersized=file.allow_undersized if undersized is None else undersized,
    )


def _fabric(shape: FabricShape, leaves: tuple[str, ...]) -> Fabric:
    return Fabric(
        routing=Routing(shape.underlay.routing),
        links=LinkAddressing(shape.underlay.links),
        asn=shape.overlay.asn,
        replication=Replication(shape.overlay.replication),
        rp=shape.overlay.rp or _FABRIC.rp,
        groups=shape.overlay.groups or _FABRIC.groups,
        vpc=shape.vpc,
        vrfs=tuple(_vrf(vrf, leaves) for vrf in shape.vrfs or ()),
        addressing=Addressing(**shape.addressing.values()),
    )


def _vrf(vrf: VrfShape, leaves: tuple[str, ...]) -> Vrf:
    return Vrf(
        name=vrf.name,
        vni=vrf.vni,
        networks=tuple(
            Network(
                name=net.name,
                vlan=net.vlan,
                vni=net.vni,
                gateway=net.gateway,
                on=leaves if net.on is None else tuple(net.on),
            )
            for net in vrf.networks or ()
        ),
        external=tuple(External(**external.values()) for external in vrf.external or ()),
    )


def _config(node: DraftNode, document: Document, read_file: ReadFile | None) -> str:
    config, path = node.shape.config, (*node.path, "config")
    if isinstance(config, ConfigFileShape):
        name, path = config.file, (*path, "file")
    elif config and _CONFIG_FILE.fullmatch(config):
        name = config
    else:
        return config or ""
    text = _config_file(name, path, document, read_file)
    if (owner := saved_from(text)) not in ("", node.name):
        hint = (
            f"meant so? take `of {owner}` out of its first line; or the line, to have it appended"
        )
        message = f"{name!r} is the whole configuration of {owner}, not of {node.name}"
        document.report(path, message, hint)
    return text


def _config_file(name: str, path: Path, document: Document, read_file: ReadFile | None) -> str:
    if read_file is None:
        document.report(path, f"file {name!r} can't be read from here")
        return ""
    try:
        text = read_file(name)
    except (OSError, ValueError, LookupError, LabctlError) as error:
        document.report(path, f"can't read {name!r}", _reason(error))
        return ""
    if found := CONTROL.search(text):
        message = f"{name!r} is no configuration text: it holds {found[0]!r}"
        document.report(path, message)
    return text


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    if isinstance(error, UnicodeDecodeError):
        return f"it is no UTF-8 text: {error.reason} at byte {error.start}"
    return str(error)


def _host_networks(
    file: TopologyFile, draft: Draft, document: Document
) -> Mapping[str, Sequence[str]]:
    """Host name -> the networks it has a leg in: as written, or all that its leaf carries."""
    carried = {name: [net.name for net in nets] for name, nets in carried_by(file, draft).items()}
    known = dict.fromkeys(network.name for _, network in networks_of(file.fabric))
    result: dict[str, Sequence[str]] = {}
    for link in draft.links:
        a, b = draft.nodes[link.a.node], draft.nodes[link.b.node]
        if link_kind(a.role, b.role) is not LinkKind.HOST:
            continue
        host, switch = (a, b) if a.role is Role.HOST else (b, a)
        here = carried.get(switch.name, [])
        wanted = host.shape.networks
        result[host.name] = here if wanted is None else wanted
        if not draft.knows_networks:
            continue
        for index, name in enumerate(wanted or ()):
            path = (*host.path, "networks", index)
            if name not in known:
                document.report(
                    path, f"there is no network {name!r}", document.suggest(name, known)
                )
            elif name not in here:
                hint = f"it carries: {', '.join(here) or 'none'}"
                document.report(path, f"{switch.name} does not carry {name!r}", hint)
            elif name in (wanted or ())[:index]:
                document.report(path, f"{name} is named twice")
    return result
