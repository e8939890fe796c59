"""The agent's protocol, against an agent that is scripted at libvirt's edge."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import libvirt
import libvirt_qemu
import pytest

from labctl.errors import DeadlineError, HypervisorError
from labctl.hypervisor import agent
from labctl.hypervisor.api import CommandResult, GuestProgram

Answer = object
"""What the agent returns, or the libvirtError of a call that fails."""


class Connection:
    """As much of virConnect as finding a domain needs."""

    def lookupByName(self, name: str) -> str:  # noqa: N802
        return name


def refusal(code: int, words: str) -> libvirt.libvirtError:
    error = libvirt.libvirtError(words)
    error.err = (code, libvirt.VIR_FROM_QEMU, words, 2, "", None, None, -1, -1)
    return error


NOT_CONNECTED = refusal(
    libvirt.VIR_ERR_AGENT_UNRESPONSIVE,
    "Guest agent is not responding: QEMU guest agent is not connected",
)
BUSY = refusal(
    libvirt.VIR_ERR_AGENT_UNRESPONSIVE,
    "Guest agent is not responding: Guest agent not available for now",
)
OFF = refusal(libvirt.VIR_ERR_OPERATION_INVALID, "domain is not running")
NOT_CONFIGURED = refusal(libvirt.VIR_ERR_ARGUMENT_UNSUPPORTED, "QEMU guest agent is not configured")


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[dict[str, Any]]]:
    """Have the agent give these answers, the last one for ever; returns what it was asked."""

    def play(*answers: Answer) -> list[dict[str, Any]]:
        asked: list[dict[str, Any]] = []
        queue = list(answers)

        def command(_domain: str, text: str, _seconds: int, _flags: int) -> str:
            asked.append(json.loads(text))
            answer = queue.pop(0) if len(queue) > 1 else queue[0]
            if isinstance(answer, libvirt.libvirtError):
                raise answer
            return json.dumps({"return": answer})

        monkeypatch.setattr(libvirt_qemu, "qemuAgentCommand", command)
        return asked

    monkeypatch.setattr(agent, "sleep", lambda _seconds: None)
    return play


def run(*argv: str, deadline: float = 30.0) -> CommandResult:
    return agent.run_in_guest(Connection(), "lab.leaf-1", argv, deadline=deadline)


def together(*argvs: tuple[str, ...], each: float = 30.0) -> tuple[CommandResult, ...]:
    programs = [GuestProgram(argv) for argv in argvs]
    return agent.run_together(Connection(), "lab.leaf-1", programs, each=each, deadline=30.0)


def ended(code: int = 0, out: str = "", **more: Any) -> dict[str, Any]:
    data = base64.b64encode(out.encode()).decode()
    return {"exited": True, "exitcode": code, "out-data": data, **more}


def test_a_command_is_polled_until_it_ended(script: Callable[..., Any]) -> None:
    asked = script({"pid": 7}, {"exited": False}, {"exited": False}, ended(3, "héllo\n"))
    assert run("cat", "-n") == CommandResult(3, "héllo\n", "")
    assert [each["execute"] for each in asked] == ["guest-exec"] + ["guest-exec-status"] * 3
    assert asked[0]["arguments"] == {
        "path": "cat",
        "arg": ["-n"],
        "capture-output": True,
    }
    assert asked[1]["arguments"] == {"pid": 7}


def test_a_signal_is_a_negative_returncode(script: Callable[..., Any]) -> None:
    script({"pid": 7}, {"exited": True, "signal": 9})
    assert run("true").returncode == -9


def test_a_command_that_takes_too_long_is_killed(script: Callable[..., Any]) -> None:
    asked = script({"pid": 7}, {"exited": False})
    with pytest.raises(DeadlineError, match=r"`sleep 60` .* did not end within 0\.01 s"):
        run("sleep", "60", deadline=0.01)
    assert asked[-1]["arguments"] == {"path": "kill", "arg": ["-KILL", "7"]}


def test_several_run_at_once(script: Callable[..., Any]) -> None:
    asked = script({"pid": 7}, {"pid": 8}, {"exited": False}, ended(out="a"), ended(3, "b"))
    assert together(("true",), ("false",)) == (CommandResult(0, "a", ""), CommandResult(3, "b", ""))
    assert [each["execute"] for each in asked[:2]] == ["guest-exec"] * 2
    assert [each["arguments"]["pid"] for each in asked[2:]] == [7, 7, 8]


def test_a_program_is_given_what_it_reads(script: Callable[..., Any]) -> None:
    asked = script({"pid": 7}, ended(out="x\0"))
    programs = [GuestProgram(("cat",), "x\0")]
    (done,) = agent.run_together(Connection(), "a", programs, each=1.0, deadline=1.0)
    assert base64.b64decode(asked[0]["arguments"]["input-data"]) == b"x\0"
    assert done.stdout == "x\0"


def test_one_of_several_that_takes_too_long_is_killed_alone(script: Callable[..., Any]) -> None:
    killed = {"exited": True, "signal": 9, "out-data": base64.b64encode(b"half").decode()}
    asked = script(
        {"pid": 7}, {"pid": 8}, {"exited": False}, {"pid": 9}, {"exited": False}, killed, ended()
    )
    assert together(("sleep", "60"), ("true",), each=0.01) == (
        CommandResult(-9, "half", ""),
        CommandResult(0, "", ""),
    )
    assert asked[3]["arguments"]["arg"] == ["-KILL", "7"]


def test_one_of_several_that_can_not_be_killed_is_given_up(script: Callable[..., Any]) -> None:
    script({"pid": 7}, {"exited": False})
    programs = [GuestProgram(("cat",))]
    with pytest.raises(DeadlineError):
        agent.run_together(Connection(), "lab.leaf-1", programs, each=0.0, deadline=0.01)


def test_one_of_several_that_the_guest_lacks(script: Callable[..., Any]) -> None:
    words = "Guest agent command failed, error was 'Failed to execute child process “nope”'"
    script(refusal(libvirt.VIR_ERR_INTERNAL_ERROR, words), {"pid": 8}, ended())
    lacking, fine = together(("nope",), ("true",))
    assert lacking.returncode == 127
    assert "Failed to execute child" in lacking.stderr
    assert fine == CommandResult(0, "", "")


def test_an_agent_with_no_time_is_asked_again(script: Callable[..., Any]) -> None:
    script(BUSY, BUSY, {"pid": 7}, BUSY, ended())
    assert run("true").returncode == 0


def test_an_agent_that_stays_busy_is_given_up(script: Callable[..., Any]) -> None:
    script(BUSY)
    with pytest.raises(HypervisorError, match="does not answer"):
        run("true", deadline=0.01)


@pytest.mark.parametrize("answer", [NOT_CONNECTED, OFF], ids=["not connected", "off"])
def test_an_agent_that_is_not_there_is_not_waited_for(
    script: Callable[..., Any], answer: Answer
) -> None:
    asked = script(answer)
    with pytest.raises(HypervisorError, match=r"guest agent of lab\.leaf-1 does not answer"):
        run("true")
    assert len(asked) == 1


def test_a_program_the_guest_lacks(script: Callable[..., Any]) -> None:
    words = "Guest agent command failed, error was 'Failed to execute child process “nope”'"
    script(refusal(libvirt.VIR_ERR_INTERNAL_ERROR, words))
    with pytest.raises(HypervisorError, match=r"can't run `nope` on .*: Failed to execute child"):
        run("nope")


@pytest.mark.parametrize("key", ["out-truncated", "err-truncated"])
def test_output_that_was_cut_is_no_result(script: Callable[..., Any], key: str) -> None:
    script({"pid": 7}, ended(out="half", **{key: True}))
    with pytest.raises(HypervisorError, match="printed more than its agent can hold"):
        run("cat")


def test_an_answer_too_long_for_libvirt(script: Callable[..., Any]) -> None:
    words = "No complete agent response found in 10485760 bytes"
    script({"pid": 7}, refusal(libvirt.VIR_ERR_SYSTEM_ERROR, words))
    with pytest.raises(HypervisorError, match="more than libvirt passes on"):
        run("cat")


@pytest.mark.parametrize(
    ("answer", "ready"), [({}, True), (NOT_CONNECTED, False), (BUSY, False), (OFF, False)]
)
def test_ready(script: Callable[..., Any], answer: Answer, ready: bool) -> None:
    script(answer)
    assert agent.agent_ready(Connection(), "lab.leaf-1") is ready


def test_no_channel_is_nothing_to_wait_for(script: Callable[..., Any]) -> None:
    script(NOT_CONFIGURED)
    with pytest.raises(HypervisorError, match="not configured"):
        agent.agent_ready(Connection(), "lab.leaf-1")
