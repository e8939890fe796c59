"""What `up` and `rebuild` print, and how they end."""

import json
from dataclasses import replace
from typing import Any

import pytest

from harness.results import BROKEN, PREFLIGHT, UP, Replace
from labctl.cli.main import main
from labctl.errors import DeadlineError, ExitCode, HypervisorError, LabctlError, PreflightRefused
from labctl.ops.events import Notice
from labctl.ops.results import Goal, NodeOutcome, UpResult
from labctl.plan.model import Action, ActionKind, Plan


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
        "cold": False,
    }


def test_the_summary_tells_a_newcomer_all(
    operation: Replace, capsys: pytest.CaptureFixture[str]
) -> None:
    operation("up.up", UP)
    main(["up", "pair.yaml"])
    shown = capsys.readouterr().out
    for words in (
        "guests hang under KVM",
        "pair (1 leaf, 1 host) is up on qemu:///system (software emulation, no KVM) after 33 s",
        "ready after 12 s",
        "labctl console pair leaf-1",
        "1/1    VNIs know all their VTEPs",
        "labctl link pair leaf-1:eth1 down",
        "labctl destroy pair",
        "root",
    ):
        assert words in shown
    assert "fine" not in shown


@pytest.mark.parametrize(("ref", "shown"), [("dir/pair.yaml", "dir/pair.yaml"), ("pair", "FILE")])
def test_the_file_to_change_is_the_user_s_own(
    ref: str, shown: str, operation: Replace, capsys: pytest.CaptureFixture[str]
) -> None:
    operation("up.up", UP)
    main(["up", ref])
    assert f"labctl plan {shown} " in capsys.readouterr().out


def test_an_unhealthy_fabric_is_told_with_cause_culprit_and_remedy(
    operation: Replace, capsys: pytest.CaptureFixture[str]
) -> None:
    operation("verify.verify_live", BROKEN)
    assert main(["verify", "pair"]) == 9
    shown = capsys.readouterr().out
    assert "probable cause: route target mismatch on leaf-1" in shown
    assert "next: set route-target import 65000:10010" in shown
    assert "seen     none" in shown


@pytest.mark.parametrize(("option", "told"), [([], True), (["--json"], False)])
def test_verify_tells_what_it_waits_for(
    option: list[str], told: bool, operation: Replace, capsys: pytest.CaptureFixture[str]
) -> None:
    calls = operation("verify.verify_live", BROKEN)
    main(["verify", "pair", *option])
    context = calls[0][0][0]
    context.emit(Notice("somebody holds the console"))
    assert ("somebody holds" in capsys.readouterr().err) is told


def test_an_unhealthy_fabric_is_not_called_up(
    operation: Replace, capsys: pytest.CaptureFixture[str]
) -> None:
    operation("up.up", replace(UP, verify=BROKEN))
    main(["up", "pair.yaml"])
    shown = capsys.readouterr().out
    assert "runs, but the fabric is unhealthy" in shown
    assert "is up on" not in shown


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


OFF = Plan("pair", (), ("leaf-1",), (Action(ActionKind.START, "host-1", "is shut off"),))
LEFT_OUT = "not asked for: host-1 is shut off; `labctl up pair` does all"


def test_nothing_to_do_counts_no_node_that_was_left_out(
    operation: Replace, capsys: pytest.CaptureFixture[str]
) -> None:
    operation("up.up", replace(UP, plan=OFF, outcomes=(), verify=None, unready=("host-1",)))
    main(["up", "pair.yaml", "-n", "leaf-1"])
    shown = capsys.readouterr().out
    assert "nothing to do, 1 node as the file wants" in shown
    assert LEFT_OUT in shown


def test_a_lab_with_nodes_off_is_not_called_up(
    operation: Replace, capsys: pytest.CaptureFixture[str]
) -> None:
    operation("up.up", replace(UP, plan=OFF, verify=None, unready=("host-1",)))
    main(["up", "pair.yaml", "-n", "leaf-1"])
    shown = capsys.readouterr().out
    assert "pair (1 leaf, 1 host) runs in part on" in shown
    assert LEFT_OUT in shown
    assert "is up" not in shown
    assert "labctl exec pair -n host-1" not in shown


@pytest.mark.parametrize("goal", [Goal.PAUSED, Goal.STARTED])
def test_a_lab_that_is_not_ready_is_not_called_up(
    goal: Goal, operation: Replace, capsys: pytest.CaptureFixture[str]
) -> None:
    operation("up.up", replace(UP, verify=None, goal=goal))
    main(["up", "pair.yaml"])
    shown = capsys.readouterr().out
    assert f"is {goal.value}, not ready, on" in shown
    assert "is up" not in shown
    assert "labctl exec" not in shown
    assert "labctl up pair " in shown
