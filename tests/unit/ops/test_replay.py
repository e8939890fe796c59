"""A saved console log: what it said, when, and where it ended."""

from __future__ import annotations

import io
import json
import tracemalloc
from pathlib import Path

import pytest

from labctl.cli.main import main
from labctl.errors import ExitCode
from labctl.ops.replay import Replay, replay
from labctl.report.paint import Paint
from labctl.report.replay import replay_data, replay_lines
from labctl.topology.platforms import load_platforms

PLATFORMS = load_platforms()
NEXUS = Path(__file__).parents[2] / "fixtures" / "nxos-console" / "n9k_reload.txt"
SETUP = "---- System Admin Account Setup ----"
MESSAGE = "2021 Mar 26 21:59:21 switch %$ VDC-1 %$ %X-2-Y: z"


def played(log: bytes, platform: str = "nxosv9k") -> Replay:
    return replay(io.BytesIO(log), PLATFORMS[platform])


@pytest.mark.parametrize(
    ("log", "ended"),
    [
        ("", "no output after power-on"),
        ("nothing known\n", "no output after power-on"),
        ("Loading system software", "no output after phase system"),
        ("Loader Version 5\nloader > ", "prompt loader"),
        ("loader > boot bootflash:x\n", "no output after phase loader"),
        ("switch login: ", "prompt login"),
        (f"switch login: {MESSAGE}\n{MESSAGE}\n", "prompt login"),
        ("switch# show version\nCisco\n", "no output after phase config"),
        ("INIT: version 2\nKernel panic - not syncing: x\nCall trace:\n", "fault kernel panic"),
        ("Kernel panic\nBdsDxe: starting\n", "no output after phase firmware"),
        (f"{SETUP}\nWrong Password, Reason:\nEnter the password", "fault weak password"),
        ("UEFI v2.7\nShell>", "fault firmware shell"),
        ("switch# ! labctl: phase ready, 0 errors\nswitch# exit\n\nswitch login: ", "ready"),
        ("switch# ! labctl: phase ready, 0 errors\nKernel panic - x", "fault kernel panic"),
    ],
)  # fmt: skip
def test_where_it_ended_is_told(log: str, ended: str) -> None:
    assert played(log.encode()).ended == ended
    assert played(log.replace("\n", "\r\n").encode()).ended == ended


def test_the_keys_of_the_json() -> None:
    log = b"Loader Version 5\nloader > boot bootflash:x\nKernel panic - not syncing: x\n"
    assert replay_data(played(log)) == {
        "phases": [{"name": "loader", "offset": 0}],
        "prompts": [{"kind": "loader", "offset": 17, "answer": "boot"}],
        "faults": [{"kind": "kernel panic", "offset": 43, "line": "Kernel panic - not syncing: x"}],
        "ended": "fault kernel panic",
    }


@pytest.mark.parametrize(
    ("stamp", "time"),
    [
        ("2024-01-02 03:04:05 ", "2024-01-02 03:04:05"),
        ("[2024-01-02T03:04:05.123Z] ", "2024-01-02T03:04:05.123Z"),
        ("2023-07-22 06:08:58,662: ", "2023-07-22 06:08:58,662"),
        ("03:04:05 ", "03:04:05"),
        ("[  12.3 s] ", "12.3 s"),
    ],
)
def test_times_before_lines_are_shown_and_are_in_nobodys_way(stamp: str, time: str) -> None:
    log = f"{stamp}noise\n{stamp}Username: \n{stamp}edge-7# show\n{stamp}Kernel panic\n".encode()
    data = replay_data(played(log))
    start = len(stamp)
    assert data["prompts"] == [
        {"kind": "login", "offset": log.index(b"Username"), "answer": "user", "time": time},
        {"kind": "exec", "offset": log.index(b"edge-7#"), "answer": "", "time": time},
    ]
    assert data["faults"][0]["offset"] == log.index(b"Kernel")
    assert data["phases"][0]["offset"] == log.index(b"Username")
    assert log[start:].startswith(b"noise")


def test_a_kernels_own_seconds_are_no_time_of_the_log() -> None:
    assert "time" not in replay_data(played(b"[    3.4] x\nINIT: version 2\n"))["phases"][0]


def test_text_shows_moments_in_order() -> None:
    lines = replay_lines(played(b"[1.0 s] INIT: version\n[2.0 s] Username: \n"), Paint())
    assert lines == [
        "offset  time   what    which",
        "8       1.0 s  phase   kernel",
        "30      2.0 s  phase   login",
        "30      2.0 s  prompt  login   answer: user",
        "",
        "ended: prompt login",
    ]
    assert replay_lines(played(b""), Paint()) == ["ended: no output after power-on"]


def test_guests_that_only_tell_are_replayed_too() -> None:
    log = b"labctl-guest: phase init\nlabctl-guest: phase ready errors=0"
    result = played(log, "frr")
    assert [moment.name for moment in result.moments] == ["init", "ready"]
    assert result.ended == "ready"


def test_a_large_log_takes_little_memory() -> None:
    class Large(io.RawIOBase):
        left = 3000

        def readline(self, size: int | None = -1, /) -> bytes:
            self.left -= 1
            return b"x" * 20000 + b"\n" * (self.left % 2) if self.left > 0 else b""

    tracemalloc.start()
    ended = replay(Large(), PLATFORMS["nxosv9k"]).ended  # type: ignore[arg-type]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert ended == "no output after power-on"
    assert peak < 16 << 20  # of 60 MB: the last lines, and no more


def test_the_command(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert main(["replay", str(NEXUS), "--platform", "nxosv9k", "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert [phase["name"] for phase in data["phases"]][-1] == "login"
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"loader > ")))
    assert main(["replay", "-", "--platform", "nxosv9k"]) == 0
    assert "ended: prompt loader" in capsys.readouterr().out


def test_what_the_command_refuses(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["replay", str(NEXUS), "--platform", "nxos9k"]) == ExitCode.USAGE
    assert "did you mean 'nxosv9k'?" in capsys.readouterr().err
    assert main(["replay", str(tmp_path / "no.log"), "--platform", "frr"]) == ExitCode.USAGE
    assert "can't read the log" in capsys.readouterr().err
    assert main(["replay", str(tmp_path), "--platform", "frr"]) == ExitCode.USAGE
