"""Which nodes a kept state can give, and whether its files are whole.

They are read while nodes are prepared: hashing memory needs a core, libvirt's defining hardly any.
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass, field

from labctl.hypervisor.api import HostFacts
from labctl.model.role import Role
from labctl.model.snapshot import MEMORY, Manifest, Part, Power
from labctl.ops.reinstate import damage
from labctl.ops.warm_cache import Entry, WarmCache, read

_WIDTH = 8


@dataclass(frozen=True, slots=True)
class Pick:
    """The state to restore from, if there is one.

    `damage` tells of each of its nodes what is wrong with the files, once they have been read.
    `notes` say what was dropped.
    """

    entry: Entry | None = None
    damage: Mapping[str, Future[tuple[str, ...]]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@contextlib.contextmanager
def reading() -> Iterator[Executor]:
    """Threads to read states in; what has not begun when the block ends is left."""
    pool = ThreadPoolExecutor(_WIDTH, thread_name_prefix="prove")
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def pick(
    cache: WarmCache,
    lab: str,
    host: HostFacts,
    nodes: Collection[str],
    keys: Mapping[str, str],
    pool: Executor,
    *,
    bound: Collection[str] = (),
) -> Pick:
    """The kept state that has most of `nodes`; its files begin to be read in `pool`.

    `keys` are those of all the lab's nodes. Those of `nodes` that are `bound` (see bound_by) boot.
    """
    notes = list(_sort_out(cache, lab, host))
    entries = cache.entries(lab)
    if held := _best(entries, bound, keys)[1]:
        notes.append(f"{_listed(held)} cold: other switches lived on, with newer sessions")
    entry, fit = _best(entries, [node for node in nodes if node not in bound], keys)
    if entry is None:
        return Pick(notes=tuple(notes))
    parts = [part for node in fit if (part := entry.manifest.part(node))]
    proofs = {part.node: pool.submit(damage, entry.folder, part) for part in parts}
    return Pick(entry, proofs, tuple(notes))


def bound_by(
    nodes: Iterable[str], living: Collection[str], roles: Mapping[str, Role]
) -> tuple[str, ...]:
    """The switches of `nodes`, where others of the lab are `living` on.

    Put back to an earlier instant, a switch would believe in adjacencies and TCP connections as
    they were then, and its neighbours in theirs: neither OSPF nor BGP would start anew until their
    timers end. Seen with FRR 8.4.4: Full at both ends, and no route to the one put back; OSPF
    itself would mend that at its next refresh, in half an hour (RFC 2328, LSRefreshTime).
    """
    if not any(roles[node].is_switch for node in living):
        return ()
    return tuple(node for node in nodes if roles[node].is_switch)


def _listed(nodes: Collection[str]) -> str:
    return f"{', '.join(nodes)} boot{'s' * (len(nodes) == 1)}"


def _sort_out(cache: WarmCache, lab: str, host: HostFacts) -> list[str]:
    """Drop what can't be read or is of another QEMU, saying so."""
    notes = []
    for folder in cache.folders(lab):
        try:
            reason = _unfit(read(folder).manifest, host)
        except (OSError, ValueError) as error:
            reason = f"it can't be read: {error}"
        if reason:
            cache.drop(folder)
            notes.append(f"a state kept for warm starts was dropped: {reason}")
    return notes


def _unfit(manifest: Manifest, host: HostFacts) -> str:
    if manifest.qemu != host.hypervisor_version:
        return f"it is of QEMU {manifest.qemu}, here is {host.hypervisor_version}"
    return ""


def _best(
    entries: Sequence[Entry], wanted: Collection[str], keys: Mapping[str, str]
) -> tuple[Entry | None, tuple[str, ...]]:
    """The state that has most of the nodes, and which; of equals the one used last."""
    best: Entry | None = None
    nodes: tuple[str, ...] = ()
    for entry in entries:
        fit = tuple(node for node in wanted if _has(entry, node, keys[node]))
        if len(fit) > len(nodes):
            best, nodes = entry, fit
    return best, nodes


def _has(entry: Entry, node: str, key: str) -> bool:
    part = entry.manifest.part(node)
    return entry.keys.get(node) == key and part is not None and _is_whole(part)


def _is_whole(part: Part) -> bool:
    return part.power is Power.RUNNING and MEMORY in part.files
