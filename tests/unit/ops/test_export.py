"""A lab written to one file: whole, or not at all."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from harness.archives import entries, moved
from harness.site import LAB, Site
from labctl.errors import (
    SnapshotError,
    UsageError,
)
from labctl.model.snapshot import Power
from labctl.ops.export import export
from labctl.ops.snapshots import Snapshots

NODES = ("a", "b")


def test_a_file_that_is_there_is_kept_unless_forced(here: Site, archive_file: Path) -> None:
    archive_file.write_text("mine")
    with pytest.raises(UsageError, match="is there already"):
        moved(here, archive_file)
    assert archive_file.read_text() == "mine"
    moved(here, archive_file, force=True)
    assert entries(archive_file)
    assert archive_file.stat().st_mode & 0o777 == 0o600
    for odd in (archive_file.parent, archive_file.parent / "gone/lab.tgz"):
        with pytest.raises(UsageError):
            moved(here, odd, force=True)


@pytest.mark.parametrize(
    "harm",
    [
        lambda path: path.write_bytes(path.read_bytes()[:-1] + b"!"),
        lambda path: path.write_bytes(path.read_bytes() + b"more"),
        lambda path: path.write_bytes(path.read_bytes()[:-1]),
        lambda path: path.unlink(),
    ],
)
def test_a_damaged_snapshot_gives_no_archive(
    here: Site, archive_file: Path, harm: Callable[[Path], object]
) -> None:
    harm(Snapshots(here.home.lab(LAB)).folder("moved") / "b/memory")
    with pytest.raises(SnapshotError):
        moved(here, archive_file)
    assert list(archive_file.parent.glob("lab.tgz*")) == []


def test_an_incomplete_snapshot_gives_none_either(here: Site, archive_file: Path) -> None:
    snapshots = Snapshots(here.home.lab(LAB))
    snapshots.write(snapshots.get("moved")._replace(complete=False, running=()))
    with pytest.raises(SnapshotError, match="incomplete"):
        moved(here, archive_file)
    with pytest.raises(UsageError, match="no snapshot"):
        export(here.context, LAB, archive_file, snapshot="none")
    with pytest.raises(UsageError):
        export(here.context, "nolab", archive_file)


def test_what_readers_find_in_it(here: Site, archive_file: Path) -> None:
    """The list first, then what `render` writes, without a password."""
    moved(here, archive_file)
    names = [info.name for info, _ in entries(archive_file)]
    assert names[0] == "labctl-archive.json"
    assert "configs/nodes/a/day0/hostname" in names
    assert names[1:] == sorted(names[1:])
    powers = {part.power for part in Snapshots(here.home.lab(LAB)).get("moved").parts}
    assert powers == {Power.RUNNING}
