"""From intent to what shall be there: each node's XML, day-0 and digests. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping

from labctl import __version__
from labctl.errors import UsageError
from labctl.model.desired import Desired, DesiredNode
from labctl.model.fit import fit_node
from labctl.model.intent import Intent, NodeIntent
from labctl.model.lab import Endpoint
from labctl.model.metadata import LabMetadata, to_xml
from labctl.model.platform import Platform
from labctl.model.site import ImageRef, Site
from labctl.render.day0 import day0
from labctl.render.domain import domain_xml, udp_ports, with_mark
from labctl.render.network import network_xml


def render(
    intent: Intent,
    platforms: Mapping[str, Platform],
    *,
    site: Site,
    ports: Mapping[Endpoint, int],
    images: Mapping[str, ImageRef],
) -> Desired:
    """The whole lab. `ports` holds the local UDP port of every link's ends (plan.ports).

    Raises UsageError when labctl's folder has a name that can't stand in XML.
    """
    subnet = intent.management_subnet if site.management == "nat" else None
    nodes = render_nodes(intent, platforms, site=site, ports=ports, images=images)
    return Desired(
        lab=intent.lab.name,
        nodes={node.intent.node.name: node for node in nodes},
        network_xml=network_xml(intent.lab.name, subnet) if subnet else "",
        subnet=str(subnet) if subnet else "",
    )


def render_nodes(
    intent: Intent,
    platforms: Mapping[str, Platform],
    *,
    site: Site,
    ports: Mapping[Endpoint, int],
    images: Mapping[str, ImageRef],
) -> Iterator[DesiredNode]:
    """One node after the other, for who wants to write them away without holding them all."""
    if not str(site.home.folder).isprintable():
        raise UsageError(
            f"{str(site.home.folder)!r} has control characters in it",
            resolution="give labctl another folder with LABCTL_HOME",
        )
    for node in intent.nodes.values():
        yield _render_node(intent, node, platforms[node.node.platform], site, ports, images)


def _render_node(
    intent: Intent,
    node: NodeIntent,
    platform: Platform,
    site: Site,
    ports: Mapping[Endpoint, int],
    images: Mapping[str, ImageRef],
) -> DesiredNode:
    lab, image = intent.lab, images[node.node.image]
    fitting = fit_node(platform, node.node, (port.number for port in node.ports))
    wiring = udp_ports(node, ports)
    machine = domain_xml(lab.name, node, platform, site=site, ports=wiring, image=image)
    files = day0(node, lab.fabric, platform, site)
    digests = {
        "hardware": hashlib.sha256(machine.encode()).hexdigest(),
        "config": files.digest,
        "image": image.sha256,
    }
    spec = hashlib.sha256("\n".join(digests.values()).encode()).hexdigest()
    mark = LabMetadata(
        lab=lab.name,
        node=node.node.name,
        role=node.node.role.value,
        platform=platform.name,
        version=__version__,
        spec=spec,
        digests=digests,
        ports=wiring,
        memory_floor=fitting.memory_floor,
    )
    return DesiredNode(node, with_mark(machine, to_xml(mark)), files, digests, spec, wiring)
