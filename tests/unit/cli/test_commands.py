"""What each command passes on, what it prints, and how it ends.

Operations are replaced at their function boundary; what they do is tested with them.
"""

import io
import json
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from labctl.cli.main import main
from labctl.errors import DeadlineError, ExitCode, HypervisorError, LabctlError, PreflightRefused
from labctl.model.finding import Finding, PreflightReport, Severity
from labctl.model.lab import (
    Endpoint,
    Fabric,
    Lab,
    Link,
    Management,
    Node,
    Requirements,
    Role,
)
from labctl.ops.results import (
    Belongings,
    DestroyResult,
    DownResult,
    ExecResult,
    LabStatus,
    LinkResult,
    NodeOutcome,
    SaveResult,
    UpResult,
)
from labctl.plan.model import Action, ActionKind, Plan
from labctl.verify.model import Cause, CauseKind, Check, CheckKind, Status, make_report

LAB = Lab(
    name="pair",
    nodes=(
        Node("leaf-1", Role.LEAF, 1, "frr", "frr", 256, 1),
        Node("host-1", Role.HOST, 1, "linux", "frr", 128, 1),
    ),
    links=(Link(Endpoint("host-1", "eth1"), Endpoint("leaf-1", "eth1")),),
    fabric=Fabric(),
    management=Management(),
    requirements=Requirements(),
    source="pair.yaml",
    text="lab: pair",
)
PREFLIGHT = PreflightReport(
    "pair",
    "qemu:///system",
    "qemu",
    (Finding("kvm", Severity.WARN, "guests hang under KVM"), Finding("disk", Severity.OK, "fine")),
)
CHECK = Check(
    "vteps-10010-leaf-1",
    CheckKind.VTEP_SET,
    "leaf-1",
    "VNI 10010",
    Status.PASS,
    "10.0.1.12",
    "10.0.1.12",
)
HEALTHY = make_report("pair", (CHECK,), (), ())
BROKEN = make_report(
    "pair",
    (replace(CHECK, status=Status.FAIL, seen="none"),),
    (
        Cause(
            CauseKind.RT_MISMATCH,
            ("leaf-1",),
            "leaf-1 imports 65000:10011",
            "set route-target import 65000:10010",
            (CHECK.id,),
        ),
    ),
    (),
)
UP = UpResult(
    lab=LAB,
    uri="qemu:///system",
    virt_type="qemu",
    plan=Plan("pair", (Action(ActionKind.CREATE, "leaf-1", "missing"),), ("host-1",)),
    preflight=PREFLIGHT,
    outcomes=(NodeOutcome("leaf-1", "boot", 12.0, "ready"),),
    verify=HEALTHY,
    seconds=33.0,
)
OWNED = Belongings("pair", ("pair.leaf-1",), ("labctl-pair",), Path("/h/labs/pair"))
Replace = Callable[[str, Any], list[Any]]


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LABCTL_HOME", str(tmp_path))


@pytest.fixture
def operation(monkeypatch: pytest.MonkeyPatch) -> Replace:
    """Replace an operation by one that gives `result` (or raises it); returns its calls."""

    def replaced(name: str, result: Any) -> list[Any]:
        calls: list[Any] = []

        def call(*args: Any, **options: Any) -> Any:
            calls.append((args, options))
            if isinstance(result, Exception):
                raise result
            return result

        monkeypatch.setattr(f"labctl.ops.{name}", call)
        return calls

    return replaced


def failed(error: LabctlError) -> UpResult:
    return replace(UP, outcomes=(NodeOutcome("leaf-1", "boot", 9.0, "kernel", error),), verify=None)


@pytest.mark.parametrize("command", ["up", "rebuild"])
@pytest.mark.parametrize(
    ("result", "code"),
    [
        (UP, ExitCode.DONE),
        (replace(UP, verify=None), ExitCode.DONE),
        (replace(UP, verify=BROKEN), ExitCode.UNHEALTHY),
        (failed(HypervisorError("no")), ExitCode.NODES_FAILED),
        (failed(DeadlineError("late")), ExitCode.DEADLINE),
        (
            replace(
                UP,
                outcomes=(
                    NodeOutcome("leaf-1", "boot", 1.0, error=DeadlineError("late")),
                    NodeOutcome("host-1", "boot", 1.0, error=HypervisorError("no")),
                ),
                verify=BROKEN,
            ),
            ExitCode.NODES_FAILED,
        ),
        (PreflightRefused("no", report=PREFLIGHT), ExitCode.PREFLIGHT),
    ],
)
def test_how_up_ends(command: str, result: Any, code: int, operation: Replace) -> None:
    operation(f"{command}.{command}", result)
    assert main([command, "pair.yaml"]) == code


def test_up_passes_its_options_on(operation: Replace) -> None:
    calls = operation("up.up", UP)
    words = "-c test:///default up pair.yaml -n leaf-1 --node host-1 --no-verify --max-parallel 3"
    main(words.split())
    ((context, ref), options) = calls[0]
    assert (context.uri, ref) == ("test:///default", "pair.yaml")
    assert options == {
        "nodes": ["leaf-1", "host-1"],
        "wait": True,
        "verify": False,
        "max_parallel": 3,
        "paused": False,
    }


def test_the_summary_tells_a_newcomer_all(
    operation: Replace, capsys: pytest.CaptureFixture[str]
) -> None:
    operation("up.up", UP)
    main(["up", "pair.yaml"])
    shown = capsys.readouterr().out
    for words in (
        "guests hang under KVM",
        "pair (1 leaf, 1 host) is up on qemu:///system (qemu) after 33 s",
        "ready after 12 s",
        "labctl console pair leaf-1",
        "1/1    VNIs know all their VTEPs",
        "labctl link pair leaf-1:eth1 down",
        "labctl destroy pair",
        "root",
    ):
        assert words in shown
    assert "fine" not in shown


def test_an_unhealthy_fabric_is_told_with_cause_culprit_and_remedy(
    operation: Replace, capsys: pytest.CaptureFixture[str]
) -> None:
    operation("verify.verify_live", BROKEN)
    assert main(["verify", "pair"]) == 9
    shown = capsys.readouterr().out
    assert "probable cause: route target mismatch on leaf-1" in shown
    assert "next: set route-target import 65000:10010" in shown
    assert "seen     none" in shown


def test_a_second_up_says_there_is_nothing_to_do(
    operation: Replace, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = Plan("pair", (), ("leaf-1", "host-1"))
    operation("up.up", replace(UP, plan=plan, outcomes=(), verify=None, seconds=0.5))
    assert main(["up", "pair.yaml"]) == 0
    assert "nothing to do, 2 nodes as the file wants" in capsys.readouterr().out


def test_a_failed_node_is_told_with_its_last_words(
    operation: Replace, capsys: pytest.CaptureFixture[str]
) -> None:
    outcome = NodeOutcome("leaf-1", "boot", 60.0, "kernel", DeadlineError("late"), ("Panic",))
    operation("up.up", replace(UP, outcomes=(outcome,), verify=None))
    assert main(["up", "pair.yaml"]) == 8
    shown = capsys.readouterr().out
    assert "leaf-1 failed (boot in phase kernel, after 1 min 0 s): late" in shown
    assert "| Panic" in shown


def test_up_as_json_has_no_progress_and_not_the_files_text(
    operation: Replace, capsys: pytest.CaptureFixture[str]
) -> None:
    operation("up.up", UP)
    main(["up", "pair.yaml", "--json"])
    shown = capsys.readouterr()
    data = json.loads(shown.out)
    assert shown.err == ""
    assert data["plan"]["actions"] == [{"kind": "create", "node": "leaf-1", "reason": "missing"}]
    assert data["verify"]["healthy"] is True
    assert "lab: pair" not in shown.out


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


def test_status_as_json_and_text(operation: Replace, capsys: pytest.CaptureFixture[str]) -> None:
    operation("status.status", (LabStatus("pair", "u", ()),))
    assert main(["status", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["labs"][0]["lab"] == "pair"
    assert main(["status"]) == 0
    assert "pair on u: 0 nodes" in capsys.readouterr().out


def test_preflight_that_refuses(operation: Replace) -> None:
    refused = replace(PREFLIGHT, findings=(Finding("memory", Severity.REFUSE, "48 of 24 GiB"),))
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


def test_a_console_needs_a_terminal() -> None:
    assert main(["console", "pair", "leaf-1"]) == ExitCode.USAGE


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


@pytest.mark.parametrize("words", ["--name a:b", "--platform nosuch", "--spines 0"])
def test_new_refuses_what_validate_would(words: str) -> None:
    assert main(["new", *words.split()]) == ExitCode.USAGE


def test_schema_is_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema"]) == 0
    assert json.loads(capsys.readouterr().out)["properties"]["lab"]
