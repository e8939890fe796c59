"""labctl image inspect: which image is meant, exit codes, both outputs."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from labctl.cli.main import main
from labctl.images.store import ImageStore


@pytest.fixture
def disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "disk.qcow2"
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", path, "4M"], check=True)
    monkeypatch.chdir(tmp_path)
    return path


def inspected(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> Any:
    assert main(["image", "inspect", "--json", *words]) == code
    return json.loads(capsys.readouterr().out)


def test_a_sound_file(disk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    done = inspected(capsys, str(disk))
    assert done["verdict"] == "unknown"
    assert done["found"]["chain"]["layers"][0]["virtual_size"] == 4 << 20
    assert done["found"]["contents"] is None


def test_a_name_in_the_store_goes_before_a_file(
    disk: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    image = ImageStore(tmp_path / "images").add(disk, "gold")
    (tmp_path / "gold").write_bytes(disk.read_bytes())
    assert inspected(capsys, "gold")["found"]["path"] == str(image.path)
    assert inspected(capsys, "./gold")["found"]["path"] == str(tmp_path / "gold")


def test_what_is_neither_is_refused(disk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    error = inspected(capsys, "golden", code=5)["error"]
    assert "no image 'golden'" in error["brief"]


def test_damage_is_exit_code_5(disk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    raw = bytearray(disk.read_bytes())
    raw[79] |= 2  # incompatible feature bit 1: corrupt
    disk.write_bytes(raw)
    done = inspected(capsys, str(disk), code=5)
    assert done["verdict"] == "damaged"
    assert done["reasons"][0] == {
        "verdict": "damaged",
        "text": "it is marked corrupt",
        "where": str(disk),
    }


def test_the_words_for_people(disk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    subprocess.run(["qemu-img", "snapshot", "-c", "nightly", disk], check=True)
    assert main(["image", "inspect", str(disk)]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("disk.qcow2: used\n")
    for words in ("1 internal snapshot", "nightly", "compat 1.1", "chain: 1 layer, ok", "s ago"):
        assert words in shown


def test_a_nexus_without_firmware_here(
    disk: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    nexus = disk.rename(disk.with_name("nexus9300v.9.3.13.qcow2"))
    monkeypatch.setattr("labctl.preflight.local._is_there", lambda image: False)
    done = inspected(capsys, str(nexus), code=5)
    assert done["found"]["claims"] == "9.3(13)"
    assert [p["text"] for p in done["found"]["name_parts"]] == ["nexus9300v", "9.3.13", "qcow2"]
    assert done["verdict"] == "not bootable here"


def test_a_deep_look_says_what_it_waits_for(
    disk: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    programs = disk.with_name("bin")
    programs.mkdir()
    (programs / "qemu-img").symlink_to("/usr/bin/qemu-img")
    monkeypatch.setenv("PATH", str(programs))  # without guestfish
    argv = ["-c", "test:///default", "image", "inspect", "--deep"]
    assert main([*argv, str(disk)]) == 5
    told = capsys.readouterr().err
    assert "reading the disk in a small machine (libguestfs)" in told
    assert "apt install" in told
    assert main([*argv, "--json", str(disk)]) == 5
    assert capsys.readouterr().err == ""
