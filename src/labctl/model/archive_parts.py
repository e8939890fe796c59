"""A snapshot that came in an archive: do its manifest, the archive's list and the lab agree?"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import get_type_hints

from labctl.model.archive import FILES, SNAPSHOT, TOPOLOGY, Contents, digest
from labctl.model.identity import domain_name
from labctl.model.lab import Lab
from labctl.model.snapshot import (
    DEFINITION,
    DISK,
    MEMORY,
    Manifest,
    Part,
    PartFile,
    Power,
    from_json,
)

MANIFEST = f"{SNAPSHOT}manifest.json"
_BESIDE = {MANIFEST, f"{SNAPSHOT}{TOPOLOGY}", f"{SNAPSHOT}{FILES}"}
_NEEDED = {DISK, DEFINITION}
_KNOWN = {MEMORY, *_NEEDED, "day0.iso", "nvram.fd", "console.log"}
_MACHINE = re.compile(r"[A-Za-z0-9._-]{1,64}")
_SPACE = {"\n", "\t"}
_PLAIN = (str, int, bool, float)
_NUMBERS = (int, float)
_LATEST = 10**11
"""In seconds since 1970: the year 5138, which calendars still know."""
_LARGEST = 10**15
"""Of any number in it: bytes, MiB, seconds since 1970."""


def read_snapshot(text: bytes, contents: Contents, lab: Lab) -> Manifest:
    """The snapshot's manifest; raises ValueError when it isn't a whole snapshot of `lab`, or what
    it says of its files is not what the archive has.
    """
    try:
        manifest = from_json(text.decode())
    except RecursionError:
        raise ValueError("no manifest of a snapshot: nested too deep") from None
    _check_types(manifest, "the snapshot")
    _check_text(manifest.running, "the snapshot: running")
    _check_text(manifest.left_out, "the snapshot: left_out")
    if manifest.clock > _LATEST:
        raise ValueError(f"a snapshot of {manifest.clock} s after 1970")
    if (manifest.lab, manifest.name) != (contents.lab, contents.snapshot):
        raise ValueError(f"it is snapshot {manifest.name!r:.80} of {manifest.lab!r:.80}")
    if not manifest.complete or not manifest.parts:
        raise ValueError("the snapshot is incomplete")
    for part in manifest.parts:
        _check_part(part, contents, lab)
    nodes = [part.node for part in manifest.parts]
    if len(set(nodes)) < len(nodes):
        raise ValueError("the snapshot has a node twice")
    _check_files(manifest, contents)
    return manifest


def _check_part(part: Part, contents: Contents, lab: Lab) -> None:
    _check_types(part, "a node of the snapshot")
    for file in part.files.values():
        _check_types(file, "a file of the snapshot")
    node = next((node for node in lab.nodes if node.name == part.node), None)
    if node is None or part.domain != domain_name(lab.name, part.node):
        raise ValueError(f"the topology has no node {part.node!r:.80} ({part.domain!r:.80})")
    if part.files.keys() - _KNOWN or _NEEDED - part.files.keys():
        raise ValueError(f"{part.node} has other files: {', '.join(map(repr, part.files))[:200]}")
    if (MEMORY in part.files) is (part.power is Power.OFF):
        raise ValueError(f"{part.node} was {part.power.value}, which its memory belies")
    if not _MACHINE.fullmatch(part.machine):
        raise ValueError(f"{part.node} has a machine {part.machine!r:.80}")
    if part.golden not in {each.sha256 for each in contents.images if each.name == node.image}:
        raise ValueError(f"{part.node} stands on another image than {node.image}")
    digest(part.spec, part.node)


def _check_files(manifest: Manifest, contents: Contents) -> None:
    told = {
        f"{SNAPSHOT}{part.node}/{name}": tuple(file)
        for part in manifest.parts
        for name, file in part.files.items()
    }
    found = {
        name: tuple(member)
        for name, member in contents.members.items()
        if name.startswith(SNAPSHOT) and name not in _BESIDE
    }
    for name in sorted({*told, *found}):
        if told.get(name) != found.get(name):
            raise ValueError(f"the snapshot's {name} is not that of the archive")


def _check_types(record: Manifest | Part | PartFile, what: str) -> None:
    """Plain fields of exactly their types, numbers in bounds, texts fit to be shown."""
    for name, wanted in get_type_hints(type(record)).items():
        value = getattr(record, name)
        allowed = _NUMBERS if wanted is float else (wanted,)
        if wanted in _PLAIN and type(value) not in allowed:
            raise ValueError(f"{what}: {name} is {type(value).__name__}, not {wanted.__name__}")
        if isinstance(value, _NUMBERS) and not 0 <= value <= _LARGEST:
            raise ValueError(f"{what}: {name} can't be {value!r:.40}")
        if isinstance(value, str):
            _check_text([value], f"{what}: {name}")


def _check_text(values: Iterable[object], what: str) -> None:
    for text in values:
        if not isinstance(text, str) or not all(c.isprintable() or c in _SPACE for c in text):
            raise ValueError(f"{what} is no plain text")
