"""A snapshot that came from another host made this one's own, then its nodes defined and resumed.

Overlays get the path the golden image has here, definitions are rendered anew; the memory is
taken as it came: libvirt accepts other host paths and ports for it, not another machine.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree

from labctl.errors import HypervisorError, SnapshotError
from labctl.hypervisor.api import Hypervisor
from labctl.images.digest import file_digest
from labctl.images.qemu_img import rebase
from labctl.model.desired import Desired
from labctl.model.metadata import METADATA_NS, from_element
from labctl.model.paths import LabPaths
from labctl.model.platform import Platform
from labctl.model.snapshot import DEFINITION, DISK, MEMORY, Manifest, Part, PartFile, Power
from labctl.ops.capture import together
from labctl.ops.context import Context
from labctl.ops.events import Notice
from labctl.ops.reinstate import place, revive
from labctl.ops.runner import run_nodes
from labctl.ops.snapshots import Snapshots
from labctl.ops.survey import Survey, refusal, survey
from labctl.ops.unpacking import Unpacked

_ANOTHER = "0" * 64
"""The spec hash of a node whose configuration is not the topology's."""
_LARGEST_XML = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Settled:
    """The lab on this host: `manifest` as it stands here, `configs` the digest of each node's
    configuration at the snapshot, `width` how many nodes are worked on at once."""

    paths: LabPaths
    manifest: Manifest
    desired: Desired
    platforms: Mapping[str, Platform]
    configs: Mapping[str, str]
    width: int

    @property
    def folder(self) -> Path:
        """The snapshot's parts."""
        return Snapshots(self.paths).folder(self.manifest.name)


def settle(ctx: Context, hypervisor: Hypervisor, unpacked: Unpacked, manifest: Manifest) -> Settled:
    """Check the snapshot against this host and make its files this host's, in the staging folder.

    Raises PreflightRefused or ImageError when the host can't carry the lab, SnapshotError when it
    can't run what was saved. The caller holds the port lock.
    """
    found = survey(ctx, hypervisor, unpacked.lab)
    if found.desired is None or found.report.refused:
        raise refusal(found.report)
    _refuse_unfit(hypervisor, found, manifest)
    snapshots = Snapshots(unpacked.paths)
    folder = snapshots.folder(manifest.name)
    configs = {part.node: _config_digest(folder, part) for part in manifest.parts}
    width = max(2, found.host.cpus)
    with ThreadPoolExecutor(width) as pool:
        parts = tuple(pool.map(lambda part: _as_here(folder, part, found), manifest.parts))
    created = datetime.fromtimestamp(manifest.clock, UTC).isoformat(timespec="milliseconds")
    manifest = manifest._replace(parts=parts, uri=hypervisor.uri, parent="", created=created)
    snapshots.write(manifest)
    snapshots.set_current(manifest.name)
    paths = ctx.home.lab(unpacked.lab.name)
    return Settled(paths, manifest, found.desired, found.platforms, configs, width)


def define(ctx: Context, hypervisor: Hypervisor, settled: Settled) -> None:
    """The network, every node's files and its definition. Raises the first node's error."""
    if settled.desired.network_xml:
        hypervisor.define_network(settled.desired.network_xml)

    def task(node: str) -> None:
        part = _part(settled, node)
        place(settled.folder, part, settled.paths.node(node))
        hypervisor.define((settled.folder / node / DEFINITION).read_text())
        _keep_config(ctx, hypervisor, settled, part)

    _run(ctx, settled, "place", task)


def resume(ctx: Context, hypervisor: Hypervisor, settled: Settled) -> float:
    """All machines from their memory, then all that ran resumed together; the skew of that."""

    def task(node: str) -> None:
        part = _part(settled, node)
        xml = hypervisor.definition(part.domain)
        if xml is None:
            raise HypervisorError(f"{part.domain} lost its definition")
        if revive(hypervisor, settled.folder, part, xml):
            settled.paths.node(node).started.touch()

    _run(ctx, settled, "restore", task)
    running = [part.domain for part in settled.manifest.parts if part.power is Power.RUNNING]
    times: list[float] = []
    together(running, hypervisor.resume, times)
    return max(times) - min(times) if times else 0.0


def _run(ctx: Context, settled: Settled, step: str, task: Callable[[str], None]) -> None:
    nodes = [part.node for part in settled.manifest.parts]
    for outcome in run_nodes(ctx, step, nodes, task, width=settled.width):
        if outcome.error is not None:
            raise outcome.error


def _part(settled: Settled, node: str) -> Part:
    part = settled.manifest.part(node)
    assert part is not None  # nodes are taken from the manifest
    return part


def _refuse_unfit(hypervisor: Hypervisor, found: Survey, manifest: Manifest) -> None:
    """Memory goes on only in the machine it was saved from, in a QEMU no older."""
    if not manifest.with_memory:
        return
    wrong = []
    if _version(found.host.hypervisor_version) < _version(manifest.qemu):
        here = found.host.hypervisor_version
        wrong.append(f"its memory was saved by QEMU {manifest.qemu}, here is {here}")
    for machine in sorted({part.machine for part in manifest.parts if MEMORY in part.files}):
        offered = hypervisor.domain_capabilities(found.report.virt_type, machine)
        if offered is None or machine not in offered.machines:
            wrong.append(f"QEMU here has no machine {machine}")
    if wrong:
        raise SnapshotError(
            f"snapshot {manifest.name} of {manifest.lab} can't go on here",
            details="\n".join(wrong),
            resolution="take a snapshot with --disk-only and export that, or no snapshot at all",
        )


def _version(text: str) -> tuple[int, ...]:
    """(7, 2, 0) of "7.2.0"; () of what is none."""
    return tuple(int(word) for word in text.split(".") if word.isdigit())


def _as_here(folder: Path, part: Part, found: Survey) -> Part:
    """The part with paths of this host in its files, and the record of it."""
    assert found.desired is not None  # a refused survey was refused
    node = found.desired.nodes[part.node]
    xml = node.domain_xml
    if MEMORY in part.files:
        # `pc` means the newest of its line here, which need not be the one that was saved.
        generic = found.platforms[node.intent.node.platform].machine
        xml = xml.replace(f"machine='{generic}'", f"machine='{part.machine}'", 1)
    definition, disk = folder / part.node / DEFINITION, folder / part.node / DISK
    definition.write_text(xml)
    rebase(disk, found.images[node.intent.node.image].path, unsafe=True)
    files = {
        path.name: PartFile(path.stat().st_size, file_digest(path)) for path in (definition, disk)
    }
    return part._replace(spec=node.spec, files={**part.files, **files})


def _config_digest(folder: Path, part: Part) -> str:
    """The digest of the configuration the node had, by labctl's mark in its definition."""
    path = folder / part.node / DEFINITION
    try:
        if path.stat().st_size > _LARGEST_XML:
            raise ValueError("it is too large")
        text = path.read_text(encoding="utf-8")
        if "<!" in text:  # entities, which libvirt never writes
            raise ValueError("it has a document type")
        root = ElementTree.fromstring(text)
        (mark,) = root.findall(f"metadata/{{{METADATA_NS}}}mark")
        return from_element(mark).digests["config"]
    except (ValueError, KeyError, ElementTree.ParseError) as error:
        raise SnapshotError(
            f"the archive's definition of {part.node} is none that labctl made",
            details=repr(error),
            resolution="have it exported again: `labctl export LAB FILE`",
        ) from None


def _keep_config(ctx: Context, hypervisor: Hypervisor, settled: Settled, part: Part) -> None:
    """Where the topology means another configuration here than the node has: marked and told."""
    had = settled.configs[part.node]
    if had == settled.desired.nodes[part.node].digests["config"]:
        return
    domain = hypervisor.domain(part.domain)
    mark = domain.metadata if domain else None
    assert mark is not None  # it was just defined with its mark
    digests = {**mark.digests, "config": had}
    hypervisor.set_metadata(part.domain, mark._replace(digests=digests, spec=_ANOTHER))
    ctx.emit(
        Notice(
            "keeps its configuration; this labctl (or this host's management network) would "
            "give it another, which the next `labctl up` would rebuild it for",
            part.node,
        )
    )
