"""Whether layers that somebody put on a node's overlay may be merged down into it. Pure.

Into the node's own overlay, never into a golden file; and only where nothing but the past is
lost: what the guest has on its disk now stays to the last byte.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from labctl.hygiene.facts import DiskFact, DomainFact, Facts
from labctl.model.hygiene import Mend, MendKind
from labctl.model.inspection import LIBVIRT_LAYERS
from labctl.model.paths import LabPaths
from labctl.model.text import printable


class Merge(NamedTuple):
    """What is to be merged: `layers` (top first) into `overlay`; `snapshots` are then forgotten."""

    target: str
    overlay: Path
    layers: tuple[Path, ...]
    snapshots: tuple[str, ...]


def overlay_of(facts: Facts, fact: DomainFact) -> Path | None:
    """The node's own overlay; None for a domain of no lab that is here."""
    mark = fact.domain.metadata
    lab = facts.lab(mark.lab) if mark else None
    return LabPaths(lab.folder).node(mark.node).overlay if mark and lab else None


def merge_of(facts: Facts, fact: DomainFact) -> tuple[Merge | None, str]:
    """What `--fix` may merge, or why it does not; (None, "") where there is nothing to merge."""
    overlay = overlay_of(facts, fact)
    found = None if overlay is None else _disk_on(fact, overlay)
    if found is None or overlay is None:
        return None, ""
    paths = [layer.path for layer in found.layers]
    above = tuple(paths[: paths.index(overlay)])
    outside = [s for s in fact.snapshots if s.external and not s.memory]
    kept = set(above) | facts.in_use
    stale = tuple(
        s.name
        for s in outside
        if all(Path(file) in above or Path(file) not in kept for file in s.files)
    )
    merge = Merge(found.disk.target, overlay, above, stale)
    if not above and not stale:
        return None, ""
    reason = _against(facts, fact, found, merge)
    return (None, reason) if reason else (merge, "")


def mend_of(facts: Facts, fact: DomainFact) -> Mend | None:
    """The mend that `merge_of` allows."""
    merge, _ = merge_of(facts, fact)
    mark = fact.domain.metadata
    if merge is None or mark is None:
        return None
    names = tuple(map(printable, merge.snapshots))
    return Mend(
        MendKind.MERGE,
        fact.domain.name,
        mark.lab,
        mark.node,
        fact.uri,
        layers=len(merge.layers),
        snapshots=names,
    )


def _disk_on(fact: DomainFact, overlay: Path) -> DiskFact | None:
    """The domain's disk that is the overlay, or stands on it."""
    for disk in fact.disks:
        if any(layer.path == overlay for layer in disk.layers):
            return disk
    return None


def _against(facts: Facts, fact: DomainFact, disk: DiskFact, merge: Merge) -> str:
    """What speaks against the merge; "" for nothing."""
    touched = {merge.overlay, *merge.layers}
    others = {
        other.domain.name
        for other in facts.domains
        if (other.uri, other.domain.name) != (fact.uri, fact.domain.name) and other.files & touched
    }
    standing = _standing_on(facts, touched, {layer.path for layer in disk.layers})
    own = disk.layers[len(merge.layers) :]
    reasons = {
        disk.trouble: disk.trouble,
        "not all machines could be looked at": facts.blind,
        f"only {LIBVIRT_LAYERS} layers can be opened": disk.depth > LIBVIRT_LAYERS,
        "the overlay stands on more than its golden image": len(own) != 2,
        "a layer holds snapshots inside it, which would be lost": any(
            layer.internal for layer in disk.layers[: len(merge.layers)]
        ),
        "a snapshot holds saved memory, which would be of no use any more": bool(merge.layers)
        and any(s.external and s.memory for s in fact.snapshots),
        f"other machines stand on it: {', '.join(sorted(others))}": others,
        f"other files stand on it: {', '.join(sorted(standing))}": standing,
    }
    return next((reason for reason, holds in reasons.items() if holds), "")


def _standing_on(facts: Facts, touched: set[Path], own: set[Path]) -> list[str]:
    """Files that are no part of the chain, but stand on a file that the merge changes."""
    layers = [layer for lab in facts.labs for layer in (*lab.overlays, *lab.kept)]
    layers += facts.pool_overlays
    merged = {path for lab in facts.labs for each in lab.merging.values() for path in each}
    ours = own | merged
    return [str(each.path) for each in layers if each.backing in touched and each.path not in ours]
