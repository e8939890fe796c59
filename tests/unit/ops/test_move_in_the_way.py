"""What an import finds in its way: the rest of a refused run, or a lab of another home."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.archives import moved
from harness.site import LAB, Site
from labctl.errors import UsageError
from labctl.model.paths import Home
from labctl.ops.context import Context
from labctl.ops.import_lab import import_lab


def test_a_folder_with_a_journal_alone_is_not_in_the_way(
    here: Site, there: Site, archive_file: Path
) -> None:
    moved(here, archive_file)
    paths = there.home.lab(LAB)
    paths.nodes.mkdir(parents=True)
    paths.journal.touch()
    import_lab(there.context, archive_file, verify=False)
    there.assert_whole("a", "b")


@pytest.mark.parametrize("name", ["topology.yaml", "nodes/a", "snapshots/one"])
def test_anything_of_a_lab_is(here: Site, there: Site, archive_file: Path, name: str) -> None:
    moved(here, archive_file)
    (there.home.lab(LAB).folder / name).mkdir(parents=True)
    (there.home.lab(LAB).folder / name / "something").touch()
    with pytest.raises(UsageError, match=r"is here already$"):
        import_lab(there.context, archive_file, verify=False)
    assert (there.home.lab(LAB).folder / name / "something").exists()


def test_a_lab_of_another_home_is_told_as_such(
    here: Site, archive_file: Path, tmp_path: Path
) -> None:
    moved(here, archive_file)
    ctx = Context(Home(tmp_path / "other"), None, here.connect)
    with pytest.raises(UsageError) as caught:
        import_lab(ctx, archive_file, verify=False)
    home = here.home.folder
    assert caught.value.brief.endswith(f"here already, and belongs to another LABCTL_HOME, {home}")
    assert f"`LABCTL_HOME={home} labctl destroy {LAB}` removes it" in caught.value.resolution
    here.assert_whole("a", "b")
