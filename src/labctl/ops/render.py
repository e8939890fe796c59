"""All XML and configurations of a lab into a folder; no libvirt needed.

What a hypervisor would decide is assumed: working KVM, no port taken by other labs, and golden
images in the store's place (their digest only where the store has them).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from labctl.errors import ImageError
from labctl.fabric.addresses import management_subnet
from labctl.fabric.intent import build
from labctl.images.store import ImageStore
from labctl.model.lab import Lab
from labctl.model.site import ImageRef, Site
from labctl.ops.context import Context
from labctl.ops.load import load_lab
from labctl.plan.ports import allocate

_UNKNOWN = "0" * 64
"""Stands for the digest of an image that isn't in the store."""


def render(ctx: Context, ref: str, folder: Path) -> list[str]:
    """Write the rendering; the files' paths. Raises TopologyError for a bad file."""
    return [f"{folder}/{name}" for name in render_lab(ctx, load_lab(ref, ctx.home), folder)]


def render_lab(ctx: Context, lab: Lab, folder: Path) -> list[str]:
    """As `render`, of a lab that is read already; the files' names below `folder`."""
    from labctl.render.desired import render_nodes
    from labctl.render.network import network_xml
    from labctl.render.tree import write_nodes
    from labctl.topology.platforms import load_platforms

    platforms = load_platforms()
    subnet = None
    if lab.management.enabled:
        subnet = lab.management.subnet or management_subnet(lab.name, len(lab.nodes), ())
    intent = build(lab, platforms, management_subnet=subnet)
    nodes = render_nodes(
        intent,
        platforms,
        site=Site("kvm", "", ctx.home, "nat" if subnet else "none"),
        ports=allocate(lab.links, lab=lab.name, existing={}, taken=frozenset()),
        images=_images(ctx, lab),
    )
    network = network_xml(lab.name, subnet) if subnet else ""
    return write_nodes(lab.name, nodes, network, folder)


def _images(ctx: Context, lab: Lab) -> Mapping[str, ImageRef]:
    store = ImageStore(ctx.home.images)
    refs = {}
    for name in {node.image for node in lab.nodes}:
        try:
            image = store.get(name)
            refs[name] = ImageRef(image.path, image.sha256)
        except ImageError:
            refs[name] = ImageRef(ctx.home.images / f"{name}.qcow2", _UNKNOWN)
    return refs
