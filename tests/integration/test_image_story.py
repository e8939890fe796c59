"""Show: the golden image of the story, and `image inspect` that names all that was done to it."""

from __future__ import annotations

import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from harness import story
from integration.conftest import Labctl
from labctl.images.digest import file_digest

pytestmark = [
    pytest.mark.integration,
    pytest.mark.libvirtd,
]
SHALLOW_SECONDS = 20.0


@dataclass(frozen=True)
class Story:
    """The files of the story, and their digests as they were before anything looked at them."""

    golden: Path
    tampered: Path
    grown: Path
    ruined: Path
    nexus: Path
    digests: dict[Path, str]

    def unchanged(self) -> bool:
        return all(file_digest(path) == digest for path, digest in self.digests.items())


@pytest.fixture(scope="module")
def told(labctl: Labctl, tmp_path_factory: pytest.TempPathFactory) -> Story:
    folder = tmp_path_factory.mktemp("story")
    golden = Path(labctl.json("image", "show", "frr")["path"])
    tampered = folder / story.NAME
    shutil.copyfile(golden, tampered)
    nexus = folder / "nexus.qcow2"
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", nexus, "64M"], check=True)
    story.tamper(tampered, nexus)
    grown = story.grow(tampered, folder / "chain")
    (folder / "ruined").mkdir()
    ruined = folder / "ruined" / story.NAME
    shutil.copyfile(tampered, ruined)
    story.ruin(ruined)
    watched = [golden, tampered, grown, ruined, folder / "chain" / "d1234.qcow2"]
    return Story(
        golden, tampered, grown, ruined, nexus, {path: file_digest(path) for path in watched}
    )


@pytest.fixture(scope="module")
def grown(labctl: Labctl, told: Story) -> Any:
    """What the deep inspection of the chain's top says; a damaged lab's exit code."""
    return labctl.json("image", "inspect", str(told.grown), "--deep", expect=5)


def reasons(done: Any) -> str:
    return "\n".join(f"{r['verdict']}: {r['text']} ({r['where']})" for r in done["reasons"])


def test_the_original_shows_nothing(labctl: Labctl, told: Story) -> None:
    done = labctl.json("image", "inspect", "frr")
    assert done["verdict"] == "unknown"
    assert done["depth"] == "ok"
    assert done["found"]["checks"][0]["standing"] == "clean"
    assert told.unchanged()


def test_a_chain_of_1847_deltas_is_told_in_seconds(labctl: Labctl, told: Story) -> None:
    started = time.monotonic()
    done = labctl.json("image", "inspect", str(told.grown), expect=5)
    assert time.monotonic() - started < SHALLOW_SECONDS
    layers = done["found"]["chain"]["layers"]
    assert len(layers) == story.DELTAS + 1
    assert done["depth"] == "unstartable"
    assert all(layer["modified"] and layer["size"] for layer in layers)
    assert f"stands on {story.DELTAS} files" in reasons(done)
    assert told.unchanged()


def test_the_chain_s_disk_is_read_where_qemu_bears_it(grown: Any, told: Story) -> None:
    contents = grown["found"]["contents"]
    assert contents["problem"] == ""
    assert (contents["skipped"], contents["skipped_with_data"]) == (story.DELTAS + 1 - 100, 0)
    assert [system["type"] for system in contents["file_systems"]] == ["vfat", "ext4"]
    assert [part["number"] for part in contents["partitions"]] == [1, 2]
    assert told.unchanged()


def test_the_boot_line_is_shown_with_the_console_it_sets(grown: Any) -> None:
    lines = grown["found"]["contents"]["boot_lines"]
    (line,) = [line for line in lines if "isolated=GOLD" in line["text"]]
    assert (line["file_system"], line["path"], line["line"]) == ("/dev/sda1", "syslinux.cfg", 5)
    assert line["consoles"] == ["ttyS0,9600n8"]


@pytest.mark.parametrize(
    ("signature", "path", "text"),
    [
        ("isolated-boot-parameter", "syslinux.cfg", "isolated=GOLD"),
        ("console-not-115200", "syslinux.cfg", "console=ttyS0,9600n8"),
        ("memory-limit", "var/log/dmesg", story.MEMORY_LINE),
        ("empty-bgp-log", "var/log/bgp_debug.log", "the file is empty"),
    ],
)
def test_each_thing_done_is_named_with_its_evidence(
    grown: Any, signature: str, path: str, text: str
) -> None:
    found = [m for m in grown["found"]["contents"]["matches"] if m["id"] == signature]
    assert [m["path"] for m in found] == [path]
    assert text in found[0]["text"]
    assert found[0]["explanation"]
    assert found[0]["source"]
    assert signature in reasons(grown)


def test_the_release_on_the_disk_is_held_against_the_name(grown: Any) -> None:
    assert grown["found"]["claims"] == "7.0(3)I7(4)"
    (clue,) = grown["found"]["contents"]["versions"]
    assert (clue["path"], clue["line"]) == ("isan/etc/version.txt", 2)
    assert (clue["release"], clue["agrees"]) == (story.RELEASE, False)
    assert f"its name claims 7.0(3)I7(4), the disk says {story.RELEASE}" in reasons(grown)


def test_ruined_tables_are_counted_and_nothing_is_mended(labctl: Labctl, told: Story) -> None:
    done = labctl.json("image", "inspect", str(told.ruined), "--deep", expect=5)
    assert done["verdict"] == "damaged"
    (check,) = done["found"]["checks"]
    assert check["standing"] == "corrupt"
    assert check["corruptions"] > 100
    assert told.unchanged()
    # Damage hides nothing that can still be read, and what can't is said.
    contents = done["found"]["contents"]
    assert contents["problem"] or contents["boot_lines"]


def test_a_nexus_disk_in_a_vmdk_is_read_as_one(labctl: Labctl, told: Story, tmp_path: Path) -> None:
    """Of another release than its name claims: EFI system, bootflash and configuration apart."""
    image = tmp_path / "nxosv-final.7.0.3.I7.4.vmdk"
    convert = ["qemu-img", "convert", "-O", "vmdk", "-o", "subformat=streamOptimized"]
    subprocess.run([*convert, told.nexus, image], check=True)
    before = file_digest(image)
    done = labctl.json("image", "inspect", str(image), "--deep")
    assert file_digest(image) == before
    assert done["verdict"] == "modified"
    assert "claims 7.0(3)I7(4), the disk says 9.3(9): nxos.9.3.9.bin" in reasons(done)
    contents = done["found"]["contents"]
    assert contents["table"] == "gpt"
    assert all(len(part["guid"]) == len(part["kind"]) == 36 for part in contents["partitions"])
    assert [system["type"] for system in contents["file_systems"]] == ["vfat", "ext3", "ext3"]
    assert contents["boot_files"] == ["/dev/sda1:EFI/BOOT/BOOTX64.EFI"]
    (line,) = contents["boot_lines"]
    assert (line["file_system"], line["path"]) == ("/dev/sda3", "boot/grub/menu.lst.local")
    assert line["consoles"] == ["ttyS0,115200n8"]
    assert contents["matches"] == []


def test_the_words_for_people_name_them_too(labctl: Labctl, told: Story) -> None:
    shown = labctl("image", "inspect", str(told.ruined), expect=5)
    assert f"{story.NAME}: damaged" in shown
    assert "corruptions" in shown
    assert told.unchanged()
