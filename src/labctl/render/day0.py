"""Day-0: the files a node configures itself from, and the ISO that carries them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import NamedTuple

from labctl.model.desired import Day0
from labctl.model.intent import NodeIntent
from labctl.model.lab import Fabric
from labctl.model.platform import Platform
from labctl.model.site import Site
from labctl.render import frr, linux, nxos
from labctl.render.environment import day0_templates

_INSTANCE = "instance"


class _Device(NamedTuple):
    """What makes a device's files: its own variables, the folders of their templates.

    `instance`: a file of that name holds the digest of all others, by which the free guest knows
    a new day-0.
    """

    context: Callable[[NodeIntent, Fabric, Platform, Site], dict[str, object]]
    folders: tuple[str, ...]
    instance: bool


_DEVICES: Mapping[str, _Device] = {
    "frr": _Device(frr.context, ("common", "frr"), instance=True),
    "linux": _Device(linux.context, ("common", "linux"), instance=True),
    "nxos": _Device(nxos.context, ("nxos",), instance=False),
}


def day0(node: NodeIntent, fabric: Fabric, platform: Platform, site: Site) -> Day0:
    """The node's files and the digest of them all."""
    device = _DEVICES[platform.device]
    variables = _common(node, platform, site) | device.context(node, fabric, platform, site)
    files = {
        name: template.render(variables)
        for name, template in day0_templates(device.folders).items()
    }
    digest = _digest(files)
    if device.instance:
        files[_INSTANCE] = f"{digest}\n"
    return Day0(platform.day0_label, files, digest)


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
