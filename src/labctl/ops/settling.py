"""A snapshot that came from another host made this one's own, ready to be put back.

Overlays get the path the golden image has here, definitions are rendered anew; the memory is
taken as it came: libvirt accepts other host paths and ports for it, not another machine.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree

from labctl.errors import SnapshotError
from labctl.hypervisor.api import DomainState, Hypervisor
from labctl.hypervisor.parse import observed_domain
from labctl.images.digest import file_digest
from labctl.images.qemu_img import rebase
from labctl.model.desired import DesiredNode
from labctl.model.metadata import METADATA_NS, from_element, to_xml
from labctl.model.snapshot import DEFINITION, DISK, IMPORTED, MEMORY, Manifest, Part, PartFile
from labctl.ops.context import Context
from labctl.ops.events import Notice
from labctl.ops.restore_proof import Kept, Whole, misfits
from labctl.ops.snapshots import Snapshots
from labctl.ops.survey import Survey, refusal, survey
from labctl.ops.unpacking import Unpacked

_ANOTHER = "0" * 64
"""The spec hash of a node whose configuration is not the topology's."""
_OTHER_CONFIG = (
    "keeps its configuration; this labctl, or this host's management network, would give it "
    "another one, and the next `labctl up` would rebuild it for that"
)
_LARGEST_XML = 4 * 1024 * 1024


def settle(
    ctx: Context, hypervisor: Hypervisor, unpacked: Unpacked, manifest: Manifest, origin: Path
) -> Whole:
    """Check the snapshot against this host and make its files this host's, in the staging folder.

    Gives back what will be in the lab's folder. Raises PreflightRefused or ImageError when the
    host can't carry the lab, SnapshotError when it can't run what was saved. The caller holds the
    port lock.
    """
    found = survey(ctx, hypervisor, unpacked.lab)
    if found.desired is None or found.report.refused:
        raise refusal(found.report)
    snapshots = Snapshots(unpacked.paths)
    folder = snapshots.folder(manifest.name)
    with ThreadPoolExecutor(max(2, found.host.cpus)) as pool:
        parts = tuple(pool.map(lambda part: _as_here(ctx, folder, part, found), manifest.parts))
    created = datetime.fromtimestamp(manifest.clock, UTC).isoformat(timespec="milliseconds")
    uri = f"{IMPORTED}{origin.absolute()}"
    manifest = manifest._replace(parts=parts, uri=uri, parent="", created=created)
    snapshots.write(manifest)
    kept = {part.node: _kept(folder, part, found.report.virt_type) for part in parts}
    whole = Whole(manifest, folder, unpacked.lab, kept)
    if problems := list(misfits(hypervisor, ctx.home, whole)):
        raise SnapshotError(
            f"snapshot {manifest.name} of {manifest.lab} can't go on here: {problems[0]}",
            details="\n".join(problems),
            resolution="take a snapshot with --disk-only and export that, or no snapshot at all",
        )
    there = Snapshots(ctx.home.lab(unpacked.lab.name)).folder(manifest.name)
    return whole._replace(folder=there)


def _kept(folder: Path, part: Part, virt_type: str) -> Kept:
    xml = (folder / part.node / DEFINITION).read_text()
    return Kept(xml, virt_type, observed_domain(xml, DomainState.SHUT_OFF))


def _as_here(ctx: Context, folder: Path, part: Part, found: Survey) -> Part:
    """The part with paths of this host in its files, and the record of it."""
    assert found.desired is not None  # a refused survey was refused
    node = found.desired.nodes[part.node]
    definition, disk = folder / part.node / DEFINITION, folder / part.node / DISK
    config = _config_digest(definition, part.node)
    xml = _definition(node, found.platforms[node.intent.node.platform].machine, part, config)
    if config != node.digests["config"]:
        ctx.emit(Notice(_OTHER_CONFIG, part.node))
    definition.write_text(xml)
    rebase(disk, found.images[node.intent.node.image].path, unsafe=True)
    files = {
        path.name: PartFile(path.stat().st_size, file_digest(path)) for path in (definition, disk)
    }
    return part._replace(spec=node.spec, files={**part.files, **files})


def _definition(node: DesiredNode, machine: str, part: Part, config: str) -> str:
    """The node as rendered here, with the machine it was saved from and the configuration it has.

    `pc` means the newest of its line here, which need not be the one that was saved.
    """
    xml = node.domain_xml
    if MEMORY in part.files:
        xml = xml.replace(f"machine='{machine}'", f"machine='{part.machine}'", 1)
    mark = observed_domain(xml, DomainState.SHUT_OFF).metadata
    if mark is not None and config != node.digests["config"]:
        had = mark._replace(digests={**mark.digests, "config": config}, spec=_ANOTHER)
        xml = xml.replace(to_xml(mark), to_xml(had), 1)
    return xml


def _config_digest(definition: Path, node: str) -> str:
    """The digest of the configuration the node had, by labctl's mark in its definition."""
    try:
        if definition.stat().st_size > _LARGEST_XML:
            raise ValueError("it is too large")
        text = definition.read_text(encoding="utf-8")
        if "<!" in text:  # entities, which libvirt never writes
            raise ValueError("it has a document type")
        (mark,) = ElementTree.fromstring(text).findall(f"metadata/{{{METADATA_NS}}}mark")
        return from_element(mark).digests["config"]
    except (ValueError, KeyError, ElementTree.ParseError) as error:
        raise SnapshotError(
            f"the archive's definition of {node} is none that labctl made",
            details=repr(error),
            resolution="have it exported again: `labctl export LAB FILE`",
        ) from None
