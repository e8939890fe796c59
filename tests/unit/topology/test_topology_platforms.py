"""Platform files: what is shipped loads, what is broken is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from labctl.errors import TopologyError
from labctl.model.lab import Role
from labctl.topology.platforms import PLATFORM_FOLDER, load_platforms


def broken(folder: Path, old: str, new: str) -> tuple[str, ...]:
    text = (PLATFORM_FOLDER / "frr.yaml").read_text()
    assert old in text
    (folder / "frr.yaml").write_text(text.replace(old, new, 1))
    with pytest.raises(TopologyError) as caught:
        load_platforms(folder)
    assert {problem.file for problem in caught.value.problems} == {str(folder / "frr.yaml")}
    return tuple(problem.message + problem.hint for problem in caught.value.problems)


def test_the_shipped_platforms_cover_every_role() -> None:
    platforms = load_platforms()
    assert {role for platform in platforms.values() for role in platform.roles} == set(Role)
    assert all(name == platform.name for name, platform in platforms.items())
    assert all(p.memory >= p.memory_floor for p in platforms.values())


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("name: frr", "name: frx", "platform 'frx' must be in frx.yaml"),
        ("device: frr", "device: fr", "device: 'fr' is not known here: did you mean 'frr'?"),
        ("description:", "descripton:", "'description' is missing"),
        ("description:", "descripton:", "unknown key 'descripton'did you mean 'description'?"),
        ("vcpus: 1", "vcpus: 0", "vcpus: must be a whole number from 1 to 64, not 0"),
        ("vcpus: 1", "vcpus: true", "vcpus: must be a whole number from 1 to 64, not True"),
        ("roles: [spine", "roles: [spin", "'spin' is not known here: did you mean 'spine'?"),
        ("roles: [spine, leaf, border]", "roles: spine", "roles: must be a list"),
        ("stop_deadline:", "stop_deadline: -1 #", "above 0, not -1"),
        ("machine:", "machine: '' #", "machine: must be text"),
        ("name: init,", "name: day0,", "phase 'day0' is given twice"),
        ("phase init'", "phase init('", "is no regular expression"),
        ("memory_floor: ", "memory_floor: 64 GiB #", "memory is below memory_floor"),
        ("memory: ", "memory: 256 #", "256 is no size"),
        ("interfaces: ", "interfaces: eth #", "must be a mapping"),
        ("name: frr", "- 1", "not valid YAML"),
    ],
)
def test_a_broken_file_is_named_with_what_is_wrong(
    tmp_path: Path, old: str, new: str, expected: str
) -> None:
    assert any(expected in message for message in broken(tmp_path, old, new))


def test_all_files_are_read_before_anything_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("x: 1")
    (tmp_path / "b.yaml").write_text("[]")
    with pytest.raises(TopologyError) as caught:
        load_platforms(tmp_path)
    assert {Path(problem.file).name for problem in caught.value.problems} == {"a.yaml", "b.yaml"}


def test_a_platform_says_only_what_differs_from_the_one_it_is_like() -> None:
    platforms = load_platforms()
    titanium, nexus = platforms["titanium"], platforms["nxosv9k"]
    assert (titanium.prompts, titanium.phases) == (nexus.prompts, nexus.phases)
    assert (titanium.disk_bus, titanium.firmware, titanium.memory) == ("ide", (), 4096)
    assert titanium.interfaces.name(1) == "Ethernet2/1"


@pytest.mark.parametrize("model", ["nobody", "b"])
def test_a_platform_like_none_that_stands_alone(tmp_path: Path, model: str) -> None:
    (tmp_path / "a.yaml").write_text("name: a\nlike: b\n")
    (tmp_path / "b.yaml").write_text(f"name: b\nlike: {'a' if model == 'b' else model}\n")
    with pytest.raises(TopologyError) as caught:
        load_platforms(tmp_path)
    assert len(caught.value.problems) == 2
    assert all("to be like of its own" in problem.message for problem in caught.value.problems)
