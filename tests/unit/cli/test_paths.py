"""Paths a user gives that can't be used are errors of use, not faults of labctl."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from labctl.cli.main import main

LAB = "lab: small\nnodes:\n  a: {role: host}\n"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("x")
    for name in ("latin-1.yaml", "latin-1.cfg"):
        (tmp_path / name).write_bytes("lab: gebäude".encode("latin-1"))
    (tmp_path / "list.yaml").write_text("- lab: small\n")
    (tmp_path / "text.yaml").write_text("lab\n")
    (tmp_path / "small.yaml").write_text(LAB)
    (tmp_path / "no-text.yaml").write_text(LAB.replace("host", "host, config: latin-1.cfg"))


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        ("replay folder --platform nxosv9k", 2, "can't read the log folder\n  Is a directory"),
        ("replay /proc/self/mem --platform nxosv9k", 2, "can't read the log /proc/self/mem"),
        ("image import folder", 5, "folder is no file"),
        ("verify small.yaml --from file", 2, "file is no folder"),
        ("validate ./folder", 2, "can't read folder: Is a directory"),
        (f"status {'x' * 300}", 2, "is neither a topology file nor a lab's name"),
        ("validate latin-1.yaml", 3, "latin-1.yaml: this is no UTF-8 text: invalid continuation"),
        ("validate no-text.yaml", 3, "it is no UTF-8 text: invalid continuation byte at byte 8"),
        ("validate list.yaml", 3, "list.yaml:1:1: this does not look like a topology file: a list"),
        ("validate text.yaml", 3, "this does not look like a topology file: a single value"),
    ],
)
def test_what_cannot_be_read(
    words: str, code: int, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words.split()) == code
    assert told in capsys.readouterr().err


@pytest.mark.parametrize("command", ["status", "image list", "up small.yaml"])
@pytest.mark.parametrize("home", ["file", "file/below"])
def test_a_home_that_is_no_folder(
    command: str, home: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LABCTL_HOME", home)
    assert main(["-c", "test:///default", *command.split()]) == 2
    told = capsys.readouterr().err
    assert "file is no folder" in told
    assert "LABCTL_HOME" in told


def test_a_home_that_cannot_be_made(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LABCTL_HOME", "/proc/labctl")
    assert main(["-c", "test:///default", "up", "small.yaml"]) == 2
    told = capsys.readouterr().err
    assert "can't keep things in /proc/labctl" in told
    assert "LABCTL_HOME" in told


@pytest.mark.parametrize(
    ("command", "code", "told"),
    [
        ("validate - <&-", 3, "labctl: <stdin>: 1 problem"),
        ("replay - --platform frr <&-", 0, ""),
        ("schema >&-", 0, ""),
        ("schema >/dev/full", 2, "labctl: can't write the output: No space left on device"),
    ],
)
def test_standard_streams_that_are_no_use(command: str, code: int, told: str) -> None:
    done = subprocess.run(
        ["sh", "-c", f"{sys.executable} -m labctl {command}"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=dict(os.environ),
    )
    assert (done.returncode, done.stderr.partition("\n")[0]) == (code, told)
