"""A platform as an image needs it: what differs by the release of its software."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from labctl.model.image_name import ImageName, parse_name
from labctl.model.intent import NodeIntent
from labctl.model.lab import Node
from labctl.model.platform import Platform, ReleaseRule

_OPEN = "9000v"
"""What stands in for a product that a name leaves open: of Nexus 9000, as the 7000's is told."""


def fitted(platform: Platform, image: str, ports: int) -> Platform:
    """`platform` for a node on golden image `image` whose highest wired data port is `ports`.

    Where the image's name tells no release that the platform knows, the strictest floor holds.
    """
    if not platform.releases:
        return platform
    rule = rule_for(platform, image, ports)
    if rule is None:
        rule = _strictest(platform, image, ports)
    return replace(
        platform,
        memory=rule.memory,
        memory_floor=rule.memory_floor,
        memory_floor_source=rule.memory_floor_source,
        vcpus=rule.vcpus,
        interfaces=replace(platform.interfaces, maximum=rule.ports),
    )


def fit_node(platform: Platform, node: Node, ports: Iterable[int]) -> Platform:
    """`platform` as the software of `node` needs it; `ports` are its wired data ports' numbers."""
    return fitted(platform, node.software or node.image, max(ports, default=0))


def syntax_of(platform: Platform, node: Node) -> str:
    """The command language of the node's software: the newest where its name tells no release."""
    rule = rule_for(platform, node.software or node.image, 0)
    return (rule or platform.releases[-1]).syntax


def boot_image_of(node: Node) -> str:
    """The file its device boots from its bootflash, "" where its image's name doesn't tell."""
    try:
        return parse_name(node.software or node.image).boot_image
    except ValueError:
        return ""


def nic_count(platform: Platform, node: NodeIntent) -> int:
    """NICs of the node's machine: the management NIC, the wired ones, fillers below them."""
    if platform.fillers:
        return 1 + max((port.number for port in node.ports), default=0)
    return 1 + len(node.ports)


def runs(platform: Platform, image: str) -> bool:
    """Whether `image` is for the platform's device; True where its name isn't understood."""
    try:
        name = parse_name(image)
    except ValueError:
        return True
    return (name.product or _OPEN) in platform.products


def with_most_ports(platform: Platform, image: str) -> Platform:
    """`platform` with as many data ports as a machine on `image` can have."""
    try:
        name = parse_name(image)
    except ValueError:
        return platform
    ports = [rule.ports for rule in platform.releases if _fits(rule, name, rule.least_ports)]
    if not ports:
        return platform
    return replace(platform, interfaces=replace(platform.interfaces, maximum=max(ports)))


def rule_for(platform: Platform, image: str, ports: int) -> ReleaseRule | None:
    """The rule that holds for an image, None where its name tells too little."""
    try:
        name = parse_name(image)
    except ValueError:
        return None
    return next((rule for rule in platform.releases if _fits(rule, name, ports)), None)


def _fits(rule: ReleaseRule, name: ImageName, ports: int) -> bool:
    """A name that leaves the product open may be of any."""
    if rule.products and name.product and name.product not in rule.products:
        return False
    if rule.lite is not None and rule.lite is not name.lite:
        return False
    return ports >= rule.least_ports and name.release.within(rule.first, rule.last)


def _strictest(platform: Platform, image: str, ports: int) -> ReleaseRule:
    """The rule of the highest floor among those that may hold."""
    rule = max(_possible(platform, ports), key=lambda rule: rule.memory_floor)
    return replace(
        rule,
        memory=max(rule.memory, platform.memory),
        ports=platform.interfaces.maximum,
        memory_floor_source=f"the name {image!r} tells no release labctl knows, so the strictest "
        f"floor holds, that of {rule.title}: {rule.memory_floor_source}",
    )


def _possible(platform: Platform, ports: int) -> Iterator[ReleaseRule]:
    return (rule for rule in platform.releases if ports >= rule.least_ports)
