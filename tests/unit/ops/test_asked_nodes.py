"""`exec` and `save`: nodes that can't be asked, folders that can't be written to."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.site import LAB, Site, pair
from labctl.errors import UsageError
from labctl.hypervisor.api import CommandResult
from labctl.ops.exec import execute
from labctl.ops.save import save

FABRIC = f"lab: {LAB}\nfabric: {{spines: 1, leaves: 1}}\n"


@pytest.fixture
def lab(site: Site) -> Site:
    site.write(FABRIC)
    site.up()
    site.fake.guest = lambda _name, _argv: CommandResult(0, "fine\n", "")
    return site


def test_a_node_that_is_off_is_said_to_be_and_how_to_start_it(lab: Site) -> None:
    lab.down(nodes=["leaf-1"])
    spine, leaf = execute(lab.context, LAB, "show version")
    assert spine.stdout == "fine\n"
    assert leaf.error is not None
    assert (leaf.error.brief, leaf.error.details) == ("leaf-1 is shut off", "")
    assert leaf.error.resolution == f"labctl up {LAB} --node leaf-1"


def test_a_paused_node_is_said_to_be(site: Site) -> None:
    site.write(pair("a"))
    site.up(paused=True)
    (result,) = execute(site.context, LAB, "uptime")
    assert str(result.error) == "a is paused"


def test_save_writes_what_it_can_and_names_who_is_off(lab: Site, tmp_path: Path) -> None:
    lab.down(nodes=["leaf-1"])
    result = save(lab.context, LAB, tmp_path / "saved")
    assert [path.name for path in result.files] == ["spine-1.cfg"]
    assert [str(outcome.error) for outcome in result.outcomes] == ["None", "leaf-1 is shut off"]


def test_save_into_what_can_be_no_folder_is_an_error_of_use(lab: Site, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for folder in (Path("/proc/x"), tmp_path / "file/below"):
        with pytest.raises(UsageError, match=f"^can't write to {folder}: "):
            save(lab.context, LAB, folder)


def test_a_file_that_cannot_be_written_fails_its_node(lab: Site, tmp_path: Path) -> None:
    (tmp_path / "leaf-1.cfg").mkdir()
    result = save(lab.context, LAB, tmp_path)
    (failed,) = [outcome for outcome in result.outcomes if outcome.error]
    assert (failed.node, type(failed.error)) == ("leaf-1", UsageError)
