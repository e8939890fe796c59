"""The folder of a lab's snapshots."""

from __future__ import annotations

from pathlib import Path

import pytest

from labctl.errors import SnapshotError, UsageError
from labctl.model.paths import LabPaths
from labctl.model.snapshot import Kind, Manifest
from labctl.ops.snapshots import Snapshots


def manifest(name: str, clock: float = 1.0) -> Manifest:
    return Manifest(
        lab="lab", name=name, kind=Kind.MANUAL, description="", created="", clock=clock, parent="",
        with_memory=True, labctl="0", qemu="", libvirt="", uri="", running=("a",), complete=True,
    )  # fmt: skip


@pytest.fixture
def snapshots(tmp_path: Path) -> Snapshots:
    return Snapshots(LabPaths(tmp_path / "lab"))


def test_without_any_there_is_none(snapshots: Snapshots) -> None:
    assert (snapshots.all(), snapshots.names(), snapshots.current()) == ((), (), "")


def test_the_oldest_comes_first(snapshots: Snapshots) -> None:
    for name, clock in (("b", 3.0), ("c", 1.0), ("a", 2.0)):
        snapshots.write(manifest(name, clock))
    assert [each.name for each in snapshots.all()] == ["c", "a", "b"]
    assert snapshots.get("b") == manifest("b", 3.0)


@pytest.mark.parametrize("name", ["", "..", "a/b", ".hidden", "current", "x" * 65, "a b", "-f"])
def test_an_unsafe_name_is_refused(snapshots: Snapshots, name: str) -> None:
    with pytest.raises(UsageError, match="can't be a snapshot's name"):
        snapshots.folder(name)


@pytest.mark.parametrize("name", ["current", "restoring"])
def test_a_reserved_name_is_told_as_such(snapshots: Snapshots, name: str) -> None:
    with pytest.raises(UsageError, match="labctl keeps it for itself") as caught:
        snapshots.folder(name)
    assert "reserved" in caught.value.resolution
    assert "letters" not in caught.value.resolution


def test_one_that_is_not_there_is_told_with_those_that_are(snapshots: Snapshots) -> None:
    snapshots.write(manifest("before"))
    with pytest.raises(UsageError, match="no snapshot 'befor'") as caught:
        snapshots.get("befor")
    assert "before" in caught.value.details


def test_a_broken_manifest_is_an_error_of_that_one_alone(snapshots: Snapshots) -> None:
    snapshots.write(manifest("good"))
    snapshots.write(manifest("bad"))
    (snapshots.folder("bad") / "manifest.json").write_text("{")
    with pytest.raises(SnapshotError, match="can't be read"):
        snapshots.get("bad")
    assert [each.name for each in snapshots.all()] == ["good"]
    snapshots.remove("bad")
    assert snapshots.names() == ("good",)


def test_removed_is_gone_and_no_longer_current(snapshots: Snapshots) -> None:
    snapshots.write(manifest("one"))
    (snapshots.folder("one") / "a").mkdir()
    (snapshots.folder("one") / "a/memory").touch()
    snapshots.set_current("one")
    assert snapshots.current() == "one"
    snapshots.remove("one")
    snapshots.remove("one")
    assert (snapshots.names(), snapshots.current()) == ((), "")
    assert not snapshots.folder("one").exists()


def test_the_manifest_is_for_its_owner_alone(snapshots: Snapshots) -> None:
    snapshots.write(manifest("one"))
    assert (snapshots.folder("one") / "manifest.json").stat().st_mode & 0o777 == 0o600
