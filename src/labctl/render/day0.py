"""Day-0: the files a node configures itself from, and the ISO that carries them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping

from labctl.model.desired import Day0
from labctl.model.intent import NodeIntent
from labctl.model.lab import Fabric
from labctl.model.platform import Platform
from labctl.model.site import Site
from labctl.render import frr, linux
from labctl.render.environment import config_environment, day0_templates

VOLUME_LABEL = "LABCTL"
_INSTANCE = "instance"
_CONTEXT: Mapping[str, Callable[[NodeIntent, Fabric], dict[str, object]]] = {
    "frr": frr.context,
    "linux": linux.context,
}


def day0(node: NodeIntent, fabric: Fabric, platform: Platform, site: Site) -> Day0:
    """The node's files. `instance` holds the digest of all others: a new one means a new day-0."""
    variables = _common(node, platform, site) | _CONTEXT[platform.device](node, fabric)
    files = {
        name: config_environment().get_template(template).render(variables)
        for name, template in day0_templates(platform.device).items()
    }
    digest = _digest(files)
    return Day0(VOLUME_LABEL, {**files, _INSTANCE: f"{digest}\n"}, digest)


def iso_bytes(day0: Day0) -> bytes:
    """An ISO 9660 image with Rock Ridge names; the same files make the same bytes."""
    from labctl.render.iso import build

    return build(day0.volume_label, {name: text.encode() for name, text in day0.files.items()})


def _common(node: NodeIntent, platform: Platform, site: Site) -> dict[str, object]:
    wired = site.management != "none" and platform.interfaces.management
    nics = [(node.mac_by_nic[0], platform.interfaces.management)] if wired else []
    nics += [(node.mac_by_nic[port.number], port.name) for port in node.ports]
    return {
        "hostname": node.node.name,
        "nics": nics,
        "management_name": platform.interfaces.management if wired else "",
        "management": node.management if wired else None,
    }


def _digest(files: Mapping[str, str]) -> str:
    digest = hashlib.sha256()
    for name in sorted(files):
        content = files[name].encode()
        digest.update(f"{name}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()
