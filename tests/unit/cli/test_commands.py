"""What each command passes on, what it prints, and how it ends."""

import io
import json
import sys
from pathlib import Path

import pytest

from harness.results import HEALTHY, LAB, OWNED, PREFLIGHT, UP, Replace
from labctl.cli.main import main
from labctl.errors import DeadlineError, ExitCode, HypervisorError
from labctl.model.finding import Finding, Severity
from labctl.ops.results import (
    Belongings,
    DestroyResult,
    DownResult,
    ExecResult,
    LabStatus,
    LinkResult,
    NodeOutcome,
    SaveResult,
)


def test_destroy_without_a_terminal_wants_a_yes(operation: Replace) -> None:
    operation("destroy.belongings", OWNED)
    calls = operation("destroy.destroy", DestroyResult("pair", OWNED, 1.0))
    assert main(["destroy", "pair"]) == ExitCode.USAGE
    assert calls == []


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("answer", "code", "destroyed"), [("y\n", 0, 1), ("n\n", 2, 0), ("\n", 2, 0), ("", 2, 0)]
)
def test_destroy_asks_on_a_terminal(
    answer: str, code: int, destroyed: int, operation: Replace, monkeypatch: pytest.MonkeyPatch
) -> None:
    operation("destroy.belongings", OWNED)
    calls = operation("destroy.destroy", DestroyResult("pair", OWNED, 1.0))
    monkeypatch.setattr(sys, "stdin", Terminal(answer))
    assert main(["destroy", "pair"]) == code
    assert len(calls) == destroyed


class Interrupting(Terminal):
    """A user who presses Ctrl-C."""

    def readline(self, _size: int | None = -1) -> str:  # type: ignore[override]  # StringIO's too
        raise KeyboardInterrupt


def test_ctrl_c_at_the_question_is_no_wrong_usage(
    operation: Replace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    operation("destroy.belongings", OWNED)
    calls = operation("destroy.destroy", DestroyResult("pair", OWNED, 1.0))
    monkeypatch.setattr(sys, "stdin", Interrupting())
    assert main(["destroy", "pair"]) == ExitCode.INTERRUPTED
    assert "interrupted before anything was changed" in capsys.readouterr().err
    assert calls == []


def test_destroy_tells_first_what_it_will_remove(
    operation: Replace, capsys: pytest.CaptureFixture[str]
) -> None:
    operation("destroy.belongings", OWNED)
    operation("destroy.destroy", DestroyResult("pair", OWNED, 1.0))
    assert main(["destroy", "pair", "--yes"]) == 0
    shown = capsys.readouterr()
    assert "pair.leaf-1" in shown.err
    assert "destroyed in 1.0 s" in shown.out


def test_destroying_nothing_needs_no_yes(operation: Replace) -> None:
    nothing = Belongings("pair", (), (), None)
    operation("destroy.belongings", nothing)
    operation("destroy.destroy", DestroyResult("pair", nothing, 0.1))
    assert main(["destroy", "pair"]) == 0


def test_down_with_a_node_that_would_not_stop(operation: Replace) -> None:
    bad = NodeOutcome("leaf-1", "stop", 1.0, error=HypervisorError("no"))
    operation("down.down", DownResult("pair", (bad,), 1.0))
    assert main(["down", "pair"]) == ExitCode.NODES_FAILED


def test_exec_joins_words_as_ssh_does_and_ends_badly_when_a_command_did(
    operation: Replace, capsys: pytest.CaptureFixture[str]
) -> None:
    results = (
        ExecResult("leaf-1", "ip -br link", 0, "eth0 UP\n", ""),
        ExecResult("host-1", "ip -br link", 1, "", "no such\n"),
    )
    calls = operation("exec.execute", results)
    assert main(["exec", "pair", "--", "ip", "-br", "link"]) == ExitCode.NODES_FAILED
    assert calls[0][0][2] == "ip -br link"
    assert capsys.readouterr().out.splitlines() == [
        "== leaf-1",
        "eth0 UP",
        "== host-1",
        "no such",
        "host-1: exit code 1",
    ]


@pytest.mark.parametrize(
    ("second", "code"),
    [
        (ExecResult("host-1", "x", 0, "", ""), ExitCode.DEADLINE),
        (ExecResult("host-1", "x", -1, "", "", DeadlineError("late")), ExitCode.DEADLINE),
        (ExecResult("host-1", "x", -1, "", "", HypervisorError("no")), ExitCode.NODES_FAILED),
        (ExecResult("host-1", "x", 1, "", ""), ExitCode.NODES_FAILED),
    ],
)
def test_exec_is_late_where_all_that_failed_were(
    second: ExecResult, code: int, operation: Replace
) -> None:
    late = ExecResult("leaf-1", "x", -1, "", "", DeadlineError("late"))
    operation("exec.execute", (late, second))
    assert main(["exec", "pair", "x"]) == code


def test_save_is_late_where_all_that_failed_were(operation: Replace, tmp_path: Path) -> None:
    late = NodeOutcome("leaf-1", "save", 60.0, error=DeadlineError("late"))
    operation("save.save", SaveResult("pair", tmp_path, (), (), (late,)))
    assert main(["save", "pair", str(tmp_path)]) == ExitCode.DEADLINE


def test_status_as_json_and_text(operation: Replace, capsys: pytest.CaptureFixture[str]) -> None:
    operation("status.status", (LabStatus("pair", "u", ()),))
    assert main(["status", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["labs"][0]["lab"] == "pair"
    assert main(["status"]) == 0
    assert "pair on u: not up" in capsys.readouterr().out


def test_preflight_that_refuses(operation: Replace) -> None:
    refused = PREFLIGHT._replace(findings=(Finding("memory", Severity.REFUSE, "48 of 24 GiB"),))
    operation("preflight.run", refused)
    assert main(["preflight", "pair.yaml"]) == ExitCode.PREFLIGHT


def test_plan_names_action_and_reason(
    operation: Replace, capsys: pytest.CaptureFixture[str]
) -> None:
    operation("plan.plan", UP.plan)
    assert main(["plan", "pair.yaml"]) == 0
    assert "create  leaf-1  missing" in capsys.readouterr().out


def test_verify_of_saved_output(operation: Replace, tmp_path: Path) -> None:
    calls = operation("verify.verify_from", HEALTHY)
    assert main(["verify", "pair.yaml", "--from", str(tmp_path)]) == 0
    assert calls[0][0][1:] == ("pair.yaml", tmp_path)


def test_link_wants_up_or_down(operation: Replace) -> None:
    calls = operation("link.set_link", LinkResult("pair", "leaf-1:eth1", True, False))
    assert main(["link", "pair", "leaf-1:eth1", "sideways"]) == ExitCode.USAGE
    assert main(["link", "pair", "leaf-1:eth1", "down"]) == ExitCode.DONE
    assert [options for _, options in calls] == [{"up": False}]


def test_save_with_a_node_that_can_not_be_asked(operation: Replace, tmp_path: Path) -> None:
    bad = NodeOutcome("leaf-1", "save", 1.0, error=HypervisorError("no"))
    operation("save.save", SaveResult("pair", tmp_path, (), ("host-1",), (bad,)))
    assert main(["save", "pair", str(tmp_path)]) == ExitCode.NODES_FAILED


def test_logs_are_bytes_as_they_were_written(
    operation: Replace, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    operation("logs.follow", iter([b"a\xff", b"\x1b[0mb"]))
    assert main(["logs", "pair", "leaf-1"]) == 0
    assert capfdbinary.readouterr().out == b"a\xff\x1b[0mb"


def test_a_console_needs_a_terminal(operation: Replace, capsys: pytest.CaptureFixture[str]) -> None:
    operation("console.check_console", None)
    assert main(["console", "pair", "leaf-1"]) == ExitCode.USAGE
    assert "needs a terminal" in capsys.readouterr().err


def test_validate_describes_the_lab(operation: Replace, capsys: pytest.CaptureFixture[str]) -> None:
    operation("load.load_lab", LAB)
    assert main(["validate", "pair.yaml"]) == 0
    assert capsys.readouterr().out.splitlines()[:2] == [
        "pair.yaml: valid",
        "  lab pair: 1 leaf, 1 host; 1 link",
    ]
    assert main(["validate", "pair.yaml", "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert data["links"][0]["a"] == {"node": "host-1", "interface": "eth1"}
    assert "text" not in data


def test_new_writes_what_validate_takes(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    words = "new --name mine --spines 3 --leaves 5 --borders 2 --routing ebgp"
    assert main(words.split()) == 0
    monkeypatch.setattr(sys, "stdin", io.StringIO(capsys.readouterr().out))
    assert main(["validate", "-"]) == 0
    assert "lab mine: 3 spines, 5 leaves, 2 borders, 5 hosts" in capsys.readouterr().out


@pytest.mark.parametrize(
    "words",
    ["--name a:b", "--platform nosuch", "--spines 0", "--platform nxosv9k --routing ebgp"],
)
def test_new_refuses_what_validate_would(words: str) -> None:
    assert main(["new", *words.split()]) == ExitCode.USAGE


def test_schema_is_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema"]) == 0
    assert json.loads(capsys.readouterr().out)["properties"]["lab"]
