"""`labctl image import | list | show | remove | convert`, as a user runs them."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from labctl.cli.main import main
from labctl.errors import ExitCode

NAME = "nxosv-final.7.0.3.I7.4"


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    path = tmp_path / f"{NAME}.qcow2"
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", path, "8M"], check=True)
    subprocess.run(["qemu-io", "-c", "write -P 7 1M 1M", path], check=True, capture_output=True)
    return path


def said(capsys: pytest.CaptureFixture[str], *argv: str | Path, code: int = 0) -> str:
    assert main([str(word) for word in argv]) == code
    return capsys.readouterr().out


def data(capsys: pytest.CaptureFixture[str], *argv: str | Path, code: int = 0) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(said(capsys, *argv, "--json", code=code))
    return found


def test_import_tells_what_it_is(disk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = data(capsys, "image", "import", disk)
    assert (found["name"], found["provenance"], found["given"]["format"]) == (
        NAME,
        "modified",
        "qcow2",
    )
    assert (found["same_file"], found["same_disk"]) == ([], [])
    text = said(capsys, "image", "import", disk, "--name", "copy")
    assert f"  same file   {NAME}" in text.splitlines()
    assert "unknown: no published file" not in text  # the file's own name counts as well
    assert "modified: not the published nxosv-final.7.0.3.I7.4.qcow2" in text


def test_list_and_show(disk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "no images yet" in said(capsys, "image", "list")
    said(capsys, "image", "import", disk)
    said(capsys, "image", "import", disk, "--name", "copy")
    head, *rows = said(capsys, "image", "list").splitlines()
    assert head.endswith("  same file as")
    assert [(row.split()[0], row.split()[-1]) for row in rows] == [("copy", NAME), (NAME, "copy")]
    assert all("modified" in row and " s ago" in row for row in rows)
    assert [image["name"] for image in data(capsys, "image", "list")["images"]] == ["copy", NAME]
    assert "no lab's disk stands on it" in said(capsys, "image", "show", "copy")
    assert data(capsys, "image", "show", "copy")["disks"] == []


def test_remove(disk: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    said(capsys, "image", "import", disk)
    said(capsys, "image", "import", disk, "--name", "copy")
    argv = ("-c", "test:///default", "image", "remove")
    assert said(capsys, *argv, "copy") == f"copy removed; its file stays as {NAME}\n"
    overlay = tmp_path / "labs/lab/nodes/a/disk.qcow2"
    overlay.parent.mkdir(parents=True)
    (golden,) = (tmp_path / "images").glob("sha256-*")
    subprocess.run(
        ["qemu-img", "create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", golden, overlay],
        check=True,
    )
    assert "    lab/nodes/a/disk.qcow2" in said(capsys, "image", "show", NAME).splitlines()
    refused = data(capsys, *argv, NAME, code=ExitCode.IMAGE)["error"]
    assert refused["details"] == "disk lab/nodes/a/disk.qcow2"
    overlay.unlink()
    assert data(capsys, *argv, NAME)["freed"] > 0
    assert not golden.exists()


def test_convert(disk: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    said(capsys, "image", "import", disk)
    out = tmp_path / "out.vmdk"
    lines = said(capsys, "image", "convert", NAME, "--to", "vmdk", "-o", out).splitlines()
    assert lines[0] == str(out)
    assert "  on ESXi a machine needs:" in lines
    argv = ("image", "convert", NAME, "--to", "vmdk", "--subformat", "streamOptimized", "-o", out)
    assert data(capsys, *argv, code=ExitCode.USAGE)["error"]["brief"].endswith("is there already")
    found = data(capsys, *argv, "--force")
    assert (found["subformat"], found["esxi"]["memory_floor"]) == ("streamOptimized", 8192)
    assert "on ESXi" not in said(
        capsys, "image", "convert", NAME, "--to", "raw", "-o", tmp_path / "out.raw"
    )


def test_convert_says_which_folder_and_which_option_is_missing(
    disk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said(capsys, "image", "import", disk)
    argv = ("image", "convert", NAME, "-o", disk.parent / "none/x")
    error = data(capsys, *argv, "--to", "raw", code=ExitCode.USAGE)["error"]
    assert error["brief"] == f"there is no folder {disk.parent / 'none'} for x"
    brief = data(capsys, *argv, code=ExitCode.USAGE)["error"]["brief"]
    assert brief == "Missing option '--to'. Choose from: vmdk, raw, qcow2"


def test_refusals_are_image_trouble(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"hello")
    error = data(capsys, "image", "import", file, code=ExitCode.IMAGE)["error"]
    assert "no disk image that labctl knows" in error["brief"]
