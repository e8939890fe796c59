"""Merge the layers that somebody put on a node's overlay down into it, without losing a byte.

While the machine runs libvirt does it; while it is off it is done on a copy, proved by what a
guest sees before and after. A record beside the overlay tells the next run how far a killed one
came. The golden image is never written to.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from labctl.atomic import PART, appearing, write_atomically
from labctl.errors import HypervisorError, ImageError, LabctlError
from labctl.hygiene.definition import repointed
from labctl.hygiene.facts import OFF, DomainFact, Facts
from labctl.hygiene.gather import MERGE_RECORD
from labctl.hygiene.merge import Merge, merge_of
from labctl.hygiene.walk import layer_of
from labctl.hygiene.words import count
from labctl.hypervisor.api import Hypervisor
from labctl.images import qemu_img
from labctl.images.digest import content_digest
from labctl.images.qcow2 import read_header
from labctl.images.transfer import copy
from labctl.model.hygiene import Mend
from labctl.model.paths import NodePaths

_COMMIT_SECONDS = 1800.0
Look = Callable[[], Facts]


class Record(NamedTuple):
    """What is being merged. `merged`: the overlay is proved to hold all of `layers`."""

    layers: tuple[str, ...]
    snapshots: tuple[str, ...]
    merged: bool

    def write(self, path: Path) -> None:
        """Put it in place, through to the disk."""
        write_atomically(path, json.dumps(self._asdict()).encode())


def merge(hypervisor: Hypervisor, look: Look, node: NodePaths, mend: Mend) -> str:
    """Merge the layers of one domain's disk; says what was done.

    The caller holds the lab's lock. Raises LabctlError where it must not or can't be done: then
    the guest's disk is as it was.
    """
    path = node.folder / MERGE_RECORD
    begun = _read(path)
    if begun is not None and begun.merged:
        _clean_up(hypervisor, look, mend, begun)
    facts = look()
    fact = _fact(facts, mend)
    found, reason = merge_of(facts, fact)
    path.unlink(missing_ok=True)
    if found is None:
        if reason:
            raise LabctlError(f"the layers of {mend.subject} are not merged: {reason}")
        return "nothing was left to merge"
    record = Record(tuple(map(str, found.layers)), found.snapshots, merged=not found.layers)
    record.write(path)
    done = record._replace(merged=True)
    if found.layers:
        _merge(hypervisor, fact, found, path, done)
    _clean_up(hypervisor, look, mend, done)
    path.unlink()
    return _told(found, fact)


def _merge(
    hypervisor: Hypervisor, fact: DomainFact, found: Merge, path: Path, done: Record
) -> None:
    """Either way; a merge that failed leaves no record, one that is proved leaves its own."""
    try:
        if fact.is_off:
            _merge_off(hypervisor, fact, found, lambda: done.write(path))
        else:
            _merge_live(hypervisor, fact, found)
            done.write(path)
    except LabctlError:
        if _read(path) != done:
            path.unlink()
        raise


def _told(found: Merge, fact: DomainFact) -> str:
    how = "while it was off" if fact.is_off else "while it ran"
    layers, snapshots = count(len(found.layers), "layer"), count(len(found.snapshots), "snapshot")
    return f"{layers} merged {how}, {snapshots} forgotten"


def _merge_live(hypervisor: Hypervisor, fact: DomainFact, found: Merge) -> None:
    golden = read_header(found.overlay).backing
    name = fact.domain.name
    try:
        hypervisor.block_commit(name, found.target, str(found.overlay), deadline=_COMMIT_SECONDS)
    except HypervisorError as error:
        raise _explained(error, fact) from None
    definition = hypervisor.definition(name)
    if definition is not None:
        hypervisor.define(repointed(definition, found.target, found.overlay, Path(golden)))


def _explained(error: HypervisorError, fact: DomainFact) -> HypervisorError:
    """AppArmor's refusal says no more than "Permission denied" (OpenNebula/one issue 6565)."""
    mark = fact.domain.metadata
    if "Permission denied" not in f"{error.brief} {error.details}" or mark is None:
        return error
    return HypervisorError(
        error.brief,
        details=f"{error.details}\nlibvirt's virt-aa-helper before 12.1.0 has AppArmor deny "
        "writing to backing files, and merging layers under a running machine writes to one",
        resolution=f"merge while it is off: `labctl down {mark.lab} --node {mark.node} && "
        "labctl hygiene --fix`",
        causes=(error,),
    )


def _merge_off(
    hypervisor: Hypervisor, fact: DomainFact, found: Merge, proved: Callable[[], None]
) -> None:
    """On a copy: a guest sees on it what it saw on the layers, or nothing is replaced.

    Once the copy has the overlay's place, the layers above it still show what they showed.
    """
    name, overlay = fact.domain.name, found.overlay
    definition = hypervisor.definition(name)
    if definition is None:
        raise LabctlError(f"{name} has no definition to point to its overlay")
    golden = Path(read_header(overlay).backing)
    with appearing(overlay, durable=True) as part:
        _merge_copy(found, part)
        now = hypervisor.domain(name)
        if now is None or now.state not in OFF:
            raise LabctlError(
                f"{name} was started meanwhile; its layers stay as they were",
                resolution="labctl hygiene --fix merges them while it runs",
            )
    proved()
    hypervisor.define(repointed(definition, found.target, overlay, golden))


def _merge_copy(found: Merge, part: Path) -> None:
    """All layers in one file, bottom up, never more than three files open, and proved equal."""
    folder = found.overlay.parent
    scratch, layer_copy = folder / f"content{PART}", folder / f"layer{PART}"
    before = content_digest(found.layers[0], scratch=scratch)
    copy(found.overlay, part)
    for layer in reversed(found.layers):
        copy(layer, layer_copy)
        qemu_img.rebase(layer_copy, part, unsafe=True)
        qemu_img.commit(layer_copy)
        layer_copy.unlink()
    if content_digest(part, scratch=scratch) != before:
        raise ImageError(
            f"merged, {found.overlay} would not show its guest the same disk; nothing was changed",
            resolution=f"`qemu-img check {found.overlay}` and of the layers above it",
        )
    was = found.overlay.stat()
    part.chmod(was.st_mode & 0o777)
    os.chown(part, was.st_uid, was.st_gid)


def _clean_up(hypervisor: Hypervisor, look: Look, mend: Mend, record: Record) -> None:
    """Forget merged snapshots, remove merged layers that nothing stands on any more."""
    assert record.merged
    listed = {s.name for s in hypervisor.snapshots(mend.subject) if s.external and not s.memory}
    for snapshot in record.snapshots:
        if snapshot in listed:
            hypervisor.delete_snapshot(mend.subject, snapshot, metadata_only=True)
    facts = look()
    ours = tuple(map(Path, record.layers))
    needed = {*facts.in_use, *facts.foundations(besides=ours)}
    for layer in () if facts.blind else ours:  # top first: what is kept needs the one below it
        if layer not in needed:
            layer.unlink(missing_ok=True)
        elif layer.exists():
            needed.add(layer_of(layer).backing or layer)


def _fact(facts: Facts, mend: Mend) -> DomainFact:
    for fact in facts.domains:
        if (fact.uri, fact.domain.name) == (mend.uri, mend.subject):
            return fact
    raise LabctlError(f"{mend.subject} is no longer there")


def _read(path: Path) -> Record | None:
    with suppress(OSError, ValueError, TypeError):
        read = json.loads(path.read_text(encoding="utf-8"))
        return Record(tuple(read["layers"]), tuple(read["snapshots"]), bool(read["merged"]))
    return None
