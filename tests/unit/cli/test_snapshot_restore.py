"""labctl snapshot restore, as typed."""

from __future__ import annotations

import io
import json

import pytest

from harness.site import LAB, Site, pair
from labctl.cli.main import main
from labctl.errors import ExitCode
from labctl.hypervisor.api import CommandResult
from labctl.ops.journal import Journal
from labctl.ops.snapshot_create import take
from labctl.ops.target import existing


@pytest.fixture
def lab(by_command_line: Site) -> Site:
    site = by_command_line
    site.fake.guest = lambda domain, argv: CommandResult(0, "", "")
    site.write(pair("a", "b"))
    site.up()
    journal = Journal(site.home.lab(LAB).journal, "snapshot create")
    with existing(site.context, LAB) as target, journal:
        take(site.context, target, journal, "base")
    return site


def test_it_tells_how_to_undo_it(lab: Site, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["snapshot", "restore", LAB, "base"]) == ExitCode.DONE
    out = capsys.readouterr().out
    assert "2 nodes run on" in out
    assert f"to undo it: labctl snapshot restore {LAB} before-base-" in out


def test_a_safety_snapshot_beyond_a_limit_is_told(
    lab: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    lab.home.lab(LAB).retention.write_text('{"max_size": 1}')
    assert main(["snapshot", "restore", LAB, "base"]) == ExitCode.DONE
    out = capsys.readouterr().out
    assert "note: the snapshots are beyond a limit: " in out
    assert "`labctl snapshot prune pair --dry-run` says what can go" in out
    assert main(["snapshot", "restore", LAB, "base", "--no-safety", "--yes"]) == ExitCode.DONE
    assert "beyond" not in capsys.readouterr().out


def test_json(lab: Site, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["snapshot", "restore", LAB, "base", "--no-safety", "--yes", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["running"] == ["a", "b"]
    assert told["safety"] == ""


def test_losing_the_present_needs_a_yes(lab: Site, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["snapshot", "restore", LAB, "base", "--no-safety"]) == ExitCode.USAGE
    assert "--no-safety --yes" in capsys.readouterr().err


def test_so_does_losing_the_present_of_a_node(
    lab: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    lab.home.lab(LAB).node("b").overlay.unlink()
    restore = ["snapshot", "restore", LAB, "base"]
    assert main(restore) == ExitCode.USAGE
    assert f"labctl snapshot restore {LAB} base --yes" in capsys.readouterr().err
    assert main([*restore, "--yes"]) == ExitCode.DONE
    assert "(partial: without b)" in capsys.readouterr().out


@pytest.mark.parametrize(("answer", "code"), [("y", ExitCode.DONE), ("n", ExitCode.USAGE)])
def test_on_a_terminal_it_is_asked(
    lab: Site,
    answer: str,
    code: ExitCode,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    typed = io.StringIO(f"{answer}\n")
    monkeypatch.setattr(typed, "isatty", lambda: True)
    monkeypatch.setattr("sys.stdin", typed)
    lab.home.lab(LAB).node("b").overlay.unlink()
    assert main(["snapshot", "restore", LAB, "base"]) == code
    assert "Replace the present state of b for good?" in capsys.readouterr().err


def test_what_can_t_be_restored_exits_with_its_code(
    lab: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    (lab.home.lab(LAB).snapshots / "base" / "a" / "memory").unlink()
    assert main(["snapshot", "restore", LAB, "base"]) == ExitCode.SNAPSHOT
    assert "nothing was changed" in capsys.readouterr().err
