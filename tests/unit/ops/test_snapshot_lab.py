"""The lab that a snapshot command is about: not there, another home's, or held by another run."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.site import LAB, Site, pair
from labctl.errors import ExitCode, SnapshotError, UsageError
from labctl.hypervisor.api import Hypervisor
from labctl.model.paths import Home, LabPaths
from labctl.ops.context import Context
from labctl.ops.lock import holder
from labctl.ops.present import lost
from labctl.ops.restore import restore
from labctl.ops.snapshot_create import create
from labctl.ops.snapshot_delete import deletable, delete, prune
from labctl.ops.snapshot_list import list_snapshots
from labctl.ops.snapshot_show import show

COMMANDS: dict[str, Callable[[Context, str], object]] = {
    "create": lambda ctx, ref: create(ctx, ref, "one"),
    "list": list_snapshots,
    "show": lambda ctx, ref: show(ctx, ref, "one"),
    "restore": lambda ctx, ref: restore(ctx, ref, "one"),
    "what a restore would lose": lambda ctx, ref: lost(ctx, ref, "one"),
    "deletable": lambda ctx, ref: deletable(ctx, ref, ["one"]),
    "delete": lambda ctx, ref: delete(ctx, ref, ["one"]),
    "prune": prune,
    "prune --dry-run": lambda ctx, ref: prune(ctx, ref, dry_run=True),
}


@pytest.fixture
def lab(site: Site) -> Site:
    site.write(pair("a", "b"))
    site.up()
    return site


@pytest.mark.parametrize("by_file", [True, False])
@pytest.mark.parametrize("command", COMMANDS)
def test_a_lab_of_another_home_is_refused_before_anything_is_made(
    lab: Site, tmp_path: Path, command: str, by_file: bool
) -> None:
    create(lab.context, LAB, "one")
    other = Home(tmp_path / "other")
    ctx = Context(other, None, lab.connect, lab.events.append)
    lab.events.clear()
    with pytest.raises(UsageError) as caught:
        COMMANDS[command](ctx, str(lab.file) if by_file else LAB)
    error = caught.value
    assert error.exit_code is ExitCode.USAGE
    assert error.brief == f"lab {LAB} belongs to another LABCTL_HOME, {lab.home.folder}"
    assert f"LABCTL_HOME={lab.home.folder} labctl snapshot list {LAB}" in error.resolution
    assert (lab.events, other.folder.exists()) == ([], False)


def test_a_refused_snapshot_makes_no_folder(lab: Site) -> None:
    folder = lab.home.lab(LAB).folder
    shutil.rmtree(folder)
    with pytest.raises(SnapshotError, match="no snapshot of pair can be taken"):
        create(lab.context, LAB, "one")
    prune(lab.context, LAB)
    assert not folder.exists()


def test_a_folder_with_a_journal_alone_is_no_lab(site: Site) -> None:
    folder = site.home.lab(LAB).folder
    (folder / "nodes").mkdir(parents=True)
    (folder / "journal.jsonl").touch()
    with pytest.raises(UsageError, match="there is no lab 'pair'"):
        list_snapshots(site.context, LAB)
    (folder / "nodes" / "a").mkdir()
    assert list_snapshots(site.context, LAB).snapshots == ()


@pytest.mark.parametrize("command", COMMANDS)
def test_a_file_of_a_lab_that_is_not_there_is_to_be_upped_first(site: Site, command: str) -> None:
    site.write(pair("a", "b"))
    with pytest.raises(UsageError, match="there is no lab 'pair'") as caught:
        COMMANDS[command](site.context, str(site.file))
    assert caught.value.resolution.startswith(f"`labctl up {site.file}` ")
    assert not site.home.labs.exists()


@pytest.mark.parametrize("operation", ["create", "delete"])
def test_the_holder_of_the_lock_is_told_as_it_was_typed(
    lab: Site, monkeypatch: pytest.MonkeyPatch, operation: str
) -> None:
    if operation == "delete":
        create(lab.context, LAB, "one")
    told: list[str] = []

    def look(_ctx: Context, paths: LabPaths, _hypervisor: Hypervisor) -> None:
        told.append(str(holder(paths.lock)))

    monkeypatch.setattr("labctl.ops.snapshot_lab.recover", look)
    COMMANDS[operation](lab.context, LAB)
    assert [line.partition(" (")[0] for line in told] == [
        f"`labctl snapshot {operation} {LAB} one`"
    ]
