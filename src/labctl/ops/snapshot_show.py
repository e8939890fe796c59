"""One snapshot, and what differs from the lab as it is now."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from pathlib import Path
from xml.etree import ElementTree

from labctl import __version__
from labctl.errors import LabctlError
from labctl.fabric.addresses import management_subnet
from labctl.fabric.intent import build
from labctl.hypervisor.api import METADATA_NS, DomainState, Hypervisor, ObservedDomain
from labctl.hypervisor.parse import observed_domain
from labctl.model.metadata import from_element
from labctl.model.paths import Home, LabPaths
from labctl.model.site import Site
from labctl.model.snapshot import DEFINITION, MEMORY, Manifest, Part
from labctl.ops.belongings import domains_of
from labctl.ops.capture import machine_of
from labctl.ops.context import Context
from labctl.ops.load import load_kept
from labctl.ops.snapshot_lab import opened
from labctl.ops.snapshot_list import listed
from labctl.ops.snapshot_results import Difference, ShowResult

_ASPECTS = {"hardware": "machine's XML", "config": "day-0 configuration", "image": "golden image"}


def show(ctx: Context, ref: str, name: str) -> ShowResult:
    """The snapshot with its differences. Raises UsageError when there is none of that name."""
    with opened(ctx, ref) as lab:
        manifest = lab.snapshots.get(name)
        folder = lab.snapshots.folder(name)
        domains = domains_of(lab.lab, lab.hypervisor.domains())
        return ShowResult(
            manifest,
            listed(lab, name),
            (
                *_of_host(manifest, lab.hypervisor),
                *_of_nodes(manifest, folder, domains, lab.hypervisor),
            ),
            tuple(_diff(_texts(LabPaths(folder), ctx.home), _texts(lab.paths, ctx.home))),
        )


def _of_host(manifest: Manifest, hypervisor: Hypervisor) -> Iterator[Difference]:
    host = hypervisor.host()
    for what, then, now in (
        ("QEMU", manifest.qemu, host.hypervisor_version),
        ("libvirt", manifest.libvirt, host.libvirt_version),
        ("labctl", manifest.labctl, __version__),
        # One that came in an archive is no hypervisor's own.
        ("hypervisor", hypervisor.uri if manifest.imported_from else manifest.uri, hypervisor.uri),
    ):
        if then != now:
            yield Difference(what, then, now)


def _of_nodes(
    manifest: Manifest, folder: Path, domains: Mapping[str, ObservedDomain], hypervisor: Hypervisor
) -> Iterator[Difference]:
    if not manifest.complete:
        return
    for node in domains:
        if manifest.part(node) is None:
            then = "not captured" if node in manifest.left_out else "not there"
            yield Difference("node", then, "there", node)
    for part in manifest.parts:
        if (domain := domains.get(part.node)) is None:
            yield Difference("node", "there", "gone", part.node)
        else:
            definition = hypervisor.definition(domain.name) or ""
            yield from _of_node(part, folder / part.node / DEFINITION, domain, definition)
            yield from _of_cables(part, folder / part.node, domain, hypervisor)


def _of_node(
    part: Part, kept: Path, domain: ObservedDomain, definition: str
) -> Iterator[Difference]:
    for what, then, now in (
        ("memory", f"{part.memory} MiB", f"{domain.memory} MiB"),
        ("vCPUs", str(part.vcpus), str(domain.vcpus)),
        ("machine type", part.machine, machine_of(definition) if definition else ""),
        *_digests(kept, domain),
    ):
        if then != now:
            yield Difference(what, then, now, part.node)


def _of_cables(
    part: Part, folder: Path, domain: ObservedDomain, hypervisor: Hypervisor
) -> Iterator[Difference]:
    """Cables pulled or plugged since; nothing where what it was can't be read."""
    try:
        was = _as_captured(part, folder, hypervisor).unplugged()
    except (OSError, LabctlError, ElementTree.ParseError):
        return
    now = domain.unplugged()
    for interface in sorted({*was} ^ {*now}):
        then, is_now = ("pulled", "plugged") if interface in was else ("plugged", "pulled")
        yield Difference(f"cable of {interface}", then, is_now, part.node)


def _as_captured(part: Part, folder: Path, hypervisor: Hypervisor) -> ObservedDomain:
    """The machine as a restore would make it: as it ran, or as it was defined."""
    if MEMORY in part.files:
        return observed_domain(hypervisor.saved_xml(folder / MEMORY), DomainState.PAUSED)
    return observed_domain((folder / DEFINITION).read_text(), DomainState.SHUT_OFF)


def _digests(kept: Path, domain: ObservedDomain) -> Iterator[tuple[str, str, str]]:
    """What determines a node, as digests, then and now; nothing where it can't be read."""
    try:
        root = ElementTree.parse(kept).getroot()
    except (OSError, ElementTree.ParseError):
        return
    mark = root.find(f"metadata/{{{METADATA_NS}}}mark")
    if mark is None or domain.metadata is None:
        return
    then, now = from_element(mark).digests, domain.metadata.digests
    for aspect, told in _ASPECTS.items():
        yield told, then.get(aspect, "")[:12], now.get(aspect, "")[:12]


def _texts(paths: LabPaths, home: Home) -> Mapping[str, str]:
    """The topology, the files it refers to, and each node's day-0, as this labctl renders it."""
    if not paths.topology.exists():
        return {}
    texts = {"topology.yaml": paths.topology.read_text(encoding="utf-8", errors="replace")}
    try:
        lab, files = load_kept(paths)
    except LabctlError:
        return texts
    from labctl.render.day0 import day0  # jinja2
    from labctl.topology.platforms import load_platforms

    platforms = load_platforms()
    subnet = lab.management.subnet or management_subnet(lab.name, len(lab.nodes), ())
    managed = lab.management.enabled
    intent = build(lab, platforms, management_subnet=subnet if managed else None)
    site = Site("kvm", "", home, "nat" if managed else "none")
    for name, node in intent.nodes.items():
        medium = day0(node, lab.fabric, platforms[node.node.platform], site)
        texts |= {f"{name}/{file}": text for file, text in medium.files.items()}
    return {**texts, **files}


def _diff(then: Mapping[str, str], now: Mapping[str, str]) -> Iterator[str]:
    for name in sorted({*then, *now}):
        old, new = then.get(name, "").splitlines(), now.get(name, "").splitlines()
        yield from difflib.unified_diff(old, new, f"then/{name}", f"now/{name}", lineterm="")
