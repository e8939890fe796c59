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

import pytest

from harness.site import LAB, Site, pair
from labctl.errors import ExitCode, SnapshotError
from labctl.hypervisor.api import Hypervisor
from labctl.images.digest import file_digest
from labctl.model.archive import LIST
from labctl.model.snapshot import Kind, Manifest, PartFile, Power
from labctl.ops.belongings import domains_of
from labctl.ops.capture import capture, running
from labctl.ops.context import Context
from labctl.ops.export import ExportResult, export
from labctl.ops.import_lab import import_lab
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
    parts, halt = capture(ctx, hypervisor, paths, domains, folder, memory=memory, cpus=2)
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


@pytest.fixture(scope="module")
def sound_archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sound archive, whose every corruption must be seen."""
    folder = tmp_path_factory.mktemp("here")
    site = booted(Site(folder))
    snapshot(site.context, site.fake, LAB, "moved")
    export(site.context, LAB, folder / "lab.tgz", snapshot="moved", with_images=True)
    return folder / "lab.tgz"


@pytest.fixture
def archive_members(sound_archive: Path) -> list[Entry]:
    return entries(sound_archive)


class Importer:
    """Where it would go: a site in a folder that is watched."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.site = Site(folder / "site")
        self.file = folder / "bad.tgz"
        self.before = self.files()

    def files(self) -> dict[str, int]:
        """Every file and folder but the archive and locks' folder, with its size."""
        found = (path for path in self.folder.rglob("*") if path != self.file)
        return {str(path): path.lstat().st_size for path in found if path.is_file()}

    def refuses(self, match: str = "") -> SnapshotError:
        """The archive is refused, and nothing is there that wasn't."""
        with pytest.raises(SnapshotError) as caught:
            import_lab(self.site.context, self.file)
        assert match in caught.value.details
        assert caught.value.exit_code == ExitCode.SNAPSHOT
        self.is_clean()
        return caught.value

    def is_clean(self) -> None:
        assert self.files() == self.before
        assert self.site.fake.domains() == ()
        assert not self.site.home.imports.exists()
        assert not self.site.home.lab(LAB).folder.exists()


@pytest.fixture
def importer(tmp_path: Path) -> Importer:
    (tmp_path / "site").mkdir()
    return Importer(tmp_path)


@pytest.fixture
def here(tmp_path: Path) -> Site:
    """Where the lab is, with a snapshot `moved`."""
    (tmp_path / "here").mkdir()
    site = booted(Site(tmp_path / "here"))
    snapshot(site.context, site.fake, LAB, "moved")
    return site


@pytest.fixture
def there(tmp_path: Path, here: Site) -> Site:
    """Where it goes, with nothing there yet but the image."""
    (tmp_path / "there").mkdir()
    site = Site(tmp_path / "there")
    site.file = here.file
    return site


@pytest.fixture
def archive_file(tmp_path: Path) -> Path:
    return tmp_path / "lab.tgz"


def moved(here: Site, archive_file: Path, **options: bool) -> ExportResult:
    return export(here.context, LAB, archive_file, snapshot="moved", **options)


def reseal(site: Site) -> None:
    """The manifest of `moved` made to agree with its files."""
    snapshots = Snapshots(site.home.lab(LAB))
    manifest = snapshots.get("moved")
    parts = []
    for part in manifest.parts:
        folder = snapshots.folder("moved") / part.node
        files = {
            name: PartFile((folder / name).stat().st_size, file_digest(folder / name))
            for name in part.files
        }
        parts.append(part._replace(files=files))
    snapshots.write(manifest._replace(parts=tuple(parts)))
