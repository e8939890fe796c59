"""Archives for tests: a lab of the fake's with a snapshot, and tar files made by hand."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import shutil
import tarfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from harness.site import Site, pair
from labctl.hypervisor.api import Hypervisor
from labctl.model.archive import LIST
from labctl.model.snapshot import Kind, Manifest, Power
from labctl.ops.belongings import domains_of
from labctl.ops.capture import capture, running
from labctl.ops.context import Context
from labctl.ops.snapshots import Snapshots

Entry = tuple[tarfile.TarInfo, bytes]
Data = dict[str, Any]


def snapshot(
    ctx: Context, hypervisor: Hypervisor, lab: str, name: str, *, memory: bool = True
) -> Manifest:
    """A snapshot of a lab."""
    paths = ctx.home.lab(lab)
    snapshots = Snapshots(paths)
    domains = domains_of(lab, hypervisor.domains())
    folder = snapshots.folder(name)
    parts, halt = capture(ctx, hypervisor, paths, domains, folder, memory=memory, width=2)
    host = hypervisor.host()
    for file in (paths.topology, paths.files):
        shutil.copyfile(file, folder / file.name)
    manifest = Manifest(
        lab=lab, name=name, kind=Kind.MANUAL, description="", created="", clock=halt.clock,
        parent="", with_memory=any(part.power is not Power.OFF for part in parts), labctl="0",
        qemu=host.hypervisor_version, libvirt=host.libvirt_version, uri=hypervisor.uri,
        running=running(domains), complete=True, parts=parts,
    )  # fmt: skip
    snapshots.write(manifest)
    return manifest


def booted(site: Site) -> Site:
    """The site with a lab of two machines up."""
    site.write(pair("a", "b"))
    site.up()
    return site


def entries(file: Path) -> list[Entry]:
    """What is in an archive, by an ordinary reader."""
    with tarfile.open(file) as archive:
        return [(info, archive.extractfile(info).read()) for info in archive]  # type: ignore[union-attr]


def packed(members: Iterable[Entry], to: Path) -> Path:
    """A tar file of these members, whatever they say of themselves."""
    raw = io.BytesIO()
    for info, data in members:
        raw.write(info.tobuf(tarfile.GNU_FORMAT))
        raw.write(data + bytes(-len(data) % 512))
    raw.write(bytes(1024))
    to.write_bytes(gzip.compress(raw.getvalue(), 1))
    return to


def file_entry(name: str, data: bytes) -> Entry:
    """A plain member."""
    info = tarfile.TarInfo(name)
    info.size = len(data)
    return info, data


def relisted(members: Iterable[Entry], change: Callable[[Data], object]) -> list[Entry]:
    """The archive with another list."""
    (_, text), *rest = members
    data = json.loads(text)
    change(data)
    return [file_entry(LIST, json.dumps(data).encode()), *rest]


def replaced(members: Iterable[Entry], name: str, data: bytes) -> list[Entry]:
    """The archive with another file of that name, listed as it is."""
    found = [file_entry(name, data) if info.name == name else (info, old) for info, old in members]
    record = {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    return relisted(found, lambda listed: listed["members"].update({name: record}))
