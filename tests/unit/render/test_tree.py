"""What `labctl render` leaves behind."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.samples import IMAGES, ports, sample, site
from labctl.errors import UsageError
from labctl.model.desired import Desired, DesiredNode
from labctl.render.desired import render
from labctl.render.tree import write_nodes
from labctl.topology.platforms import load_platforms


@pytest.fixture(scope="module")
def desired() -> Desired:
    return render(sample(), load_platforms(), site=site(), ports=ports(), images=IMAGES)


def write(desired: Desired, folder: Path) -> None:
    """Write all of the rendered sample."""
    write_nodes(desired.lab, desired.nodes.values(), desired.network_xml, folder)


def test_everything_is_there(desired: Desired, tmp_path: Path) -> None:
    write(desired, tmp_path / "out")
    assert (tmp_path / "out/network.xml").read_text() == desired.network_xml
    for name, node in desired.nodes.items():
        folder = tmp_path / "out/nodes" / name
        assert (folder / "domain.xml").read_text() == node.domain_xml
        found = {path.name: path.read_text() for path in (folder / "day0").iterdir()}
        assert found == node.day0.files
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_an_earlier_rendering_is_replaced_whole(desired: Desired, tmp_path: Path) -> None:
    write_nodes("sample", [], "<network/>", tmp_path / "out")
    write_nodes("sample", desired.nodes.values(), "", tmp_path / "out")
    assert not (tmp_path / "out/network.xml").exists()
    assert sorted(path.name for path in (tmp_path / "out/nodes").iterdir()) == [
        "host-1",
        "leaf-1",
        "spine-1",
    ]


def test_an_empty_folder_is_used(desired: Desired, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    write(desired, tmp_path / "out")
    assert (tmp_path / "out/nodes").is_dir()


def test_what_others_made_is_left_alone(desired: Desired, tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("x")
    with pytest.raises(UsageError) as caught:
        write(desired, tmp_path)
    assert "no render made" in caught.value.brief
    assert caught.value.details == "precious"
    assert [path.name for path in tmp_path.iterdir()] == ["precious"]


@pytest.mark.parametrize(
    "name", ["notes.txt", "nodes/leaf-1/notes.txt", "nodes/leaf-9/domain.xml", ".git/HEAD"]
)
def test_what_others_put_into_a_rendering_is_left_alone(
    name: str, desired: Desired, tmp_path: Path
) -> None:
    write(desired, tmp_path / "out")
    write(desired, tmp_path / "out")
    (tmp_path / "out" / name).parent.mkdir(exist_ok=True)
    (tmp_path / "out" / name).write_text("x")
    with pytest.raises(UsageError) as caught:
        write(desired, tmp_path / "out")
    assert "no render made" in caught.value.brief
    assert caught.value.details == name
    assert (tmp_path / "out" / name).read_text() == "x"


def test_a_link_to_a_folder_is_no_part_of_a_rendering(desired: Desired, tmp_path: Path) -> None:
    write(desired, tmp_path / "out")
    (tmp_path / "out/link").symlink_to(tmp_path)
    with pytest.raises(UsageError) as caught:
        write(desired, tmp_path / "out")
    assert caught.value.details == "link"


def test_many_files_of_others_are_not_all_named(desired: Desired, tmp_path: Path) -> None:
    for number in range(9):
        (tmp_path / f"file-{number}").write_text("x")
    with pytest.raises(UsageError) as caught:
        write(desired, tmp_path)
    assert caught.value.details.splitlines()[-2:] == ["file-4", "and 4 more"]


def test_another_lab_s_rendering_is_left_alone(desired: Desired, tmp_path: Path) -> None:
    write_nodes("other", [], "<network/>", tmp_path / "out")
    with pytest.raises(UsageError, match="a rendering of another lab, other"):
        write(desired, tmp_path / "out")
    assert (tmp_path / "out/network.xml").exists()


def test_a_file_in_the_way_is_an_error_of_use(desired: Desired, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for folder in (tmp_path / "file", tmp_path / "file/below"):
        with pytest.raises(UsageError) as caught:
            write(desired, folder)
        assert "can't write" in caught.value.brief


def test_nothing_half_made_is_left(desired: Desired, tmp_path: Path) -> None:
    write(desired, tmp_path / "out")

    def breaks() -> Iterator[DesiredNode]:
        yield desired.nodes["leaf-1"]
        raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError):
        write_nodes("sample", breaks(), "", tmp_path / "out")
    assert sorted(path.name for path in (tmp_path / "out/nodes").iterdir()) == [
        "host-1",
        "leaf-1",
        "spine-1",
    ]
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
