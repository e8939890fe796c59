"""Commands over a Nexus's console, against a scripted one."""

from __future__ import annotations

import pytest

from harness.console_driver import drive
from harness.fake_nexus import PASSWORD, FakeNexus, Habits
from labctl.console.events import Send
from labctl.devices.nxos.session import Output, Session, SessionEvent, commands, configuration
from labctl.topology.platforms import load_platforms

PLATFORM = load_platforms()["nxosv9k"]
HELLO = b"\r\nleaf-1# "


def asking(*lines: str) -> Session:
    return commands(PLATFORM, host="leaf-1", lines=lines)


def outputs(events: list[SessionEvent]) -> list[Output]:
    return [event for event in events if isinstance(event, Output)]


def typed(events: list[SessionEvent]) -> list[Send]:
    return [event for event in events if isinstance(event, Send)]


def answered(session: Session, *printed: str) -> list[SessionEvent]:
    """What comes of a console that prints so after each thing typed."""
    events = session.start()
    for text in printed:
        events += session.feed(text.replace("\n", "\r\n").encode())
    return events


READY = ("leaf-1# ", "terminal length 0\nleaf-1# ", "terminal width 511\nleaf-1# ")


@pytest.mark.parametrize("piece", [1, 5, 100000])
def test_it_logs_in_runs_commands_and_logs_out(piece: int) -> None:
    nexus, session = FakeNexus(Habits()), asking("show boot", "show nonsense", "show boot")
    printed = nexus.start()
    events, _ = drive(session, nexus, printed, begin=session.start(), piece=piece)
    assert session.done
    assert session.failed == ""
    assert nexus.typed[-6:] == [
        "terminal length 0",
        "terminal width 511",
        "show boot",
        "show nonsense",
        "show boot",
        "exit",
    ]
    first, wrong, last = outputs(events)
    assert (first.line, first.command) == (1, "show boot")
    assert first.text.startswith("Current Boot Variables:\n\nsup-1\nNXOS variable")
    assert "leaf-1" not in first.text
    assert wrong.errors == ("% Invalid command at '^' marker.",)
    assert last.text == first.text
    assert PASSWORD not in repr(events)


def test_a_session_found_open_is_left_open() -> None:
    session = asking("show clock")
    events = answered(session, *READY, "show clock\n10:00\nleaf-1# ")
    assert session.done
    assert [send.text for send in typed(events)] == [
        "",
        "terminal length 0",
        "terminal width 511",
        "show clock",
    ]


def test_it_first_leaves_configuration_mode_and_shells() -> None:
    session = asking("show clock")
    events = answered(session, "leaf-1(config-if)# ", "end\nbash-4.2$ ", "exit\nleaf-1# ")
    assert [send.text for send in typed(events)] == ["", "end", "exit", "terminal length 0"]


def test_a_pager_is_turned_and_leaves_no_trace() -> None:
    session = asking("show run")
    events = answered(session, *READY, "show run\na\n--More--", "\b" * 8 + "b\nleaf-1# ")
    assert typed(events)[-1] == Send(" ", enter=False)
    assert outputs(events)[0].text == "a\nb\n"


def test_messages_between_the_lines_of_an_output_are_left_out() -> None:
    session = asking("show x | json")
    noise = "2021 Mar 26 21:59:21 leaf-1 %$ VDC-1 %$ %ETHPORT-5-IF_UP: up\n"
    events = answered(session, *READY, f"show x | json\n{{\n{noise}}}\nleaf-1# {noise}")
    assert outputs(events)[0].text == "{\n}\n"


def test_an_old_prompt_before_the_echo_ends_nothing() -> None:
    session = asking("show a")
    events = answered(session, "leaf-1# ", "\nleaf-1# terminal length 0\nleaf-1# ", READY[2])
    events += session.feed(b"show a\r\nA\r\nleaf-1# ")
    assert outputs(events) == [Output(1, "show a", "A\n", ())]


def test_output_that_looks_like_prompts_is_output() -> None:
    session = asking("show tech")
    text = "other# \nlogin: x\nPassword: y\n[####] 100%\nloader > z\n"
    events = answered(session, *READY, f"show tech\n{text}leaf-1# ")
    assert outputs(events)[0].text == text


def test_output_longer_than_any_line_limit_is_whole() -> None:
    session = asking("show all | json")
    events = answered(session, *READY, f"show all | json\n{'x' * 200000}\nleaf-1# ")
    assert outputs(events)[0].text == "x" * 200000 + "\n"


@pytest.mark.parametrize("question", ["Continue (y/n)?  [n]", "reboot the system. (y/n)?  [n]"])
def test_a_question_is_answered_no_and_told(question: str) -> None:
    session = asking("reload")
    question = question.replace("reboot", "This command will reboot")
    events = answered(session, *READY, f"reload\n{question} ", "n\nleaf-1# ")
    assert Send("n") in typed(events)
    assert outputs(events)[0].errors
    assert session.done


def test_errors_of_a_configuration_are_told_with_their_lines() -> None:
    lines = ["! a comment", "", "vlan 10", "vlan 9999", "end", "hostname spine-9", "copp x"]
    session = configuration(PLATFORM, host="leaf-1", lines=lines)
    events = answered(
        session,
        *READY,
        "terminal dont-ask\nleaf-1# ",
        "configure terminal\nEnter configuration commands\nleaf-1(config)# ",
        "vlan 10\nleaf-1(config-vlan)# ",
        "vlan 9999\n          ^\n% Invalid value/range at '^' marker.\nleaf-1(config-vlan)# ",
        "hostname spine-9\nspine-9(config)# ",
        "copp x\nAre you sure? (y/n) : [n]",
        " y\nspine-9(config)# ",
        "end\nspine-9# ",
        "no terminal dont-ask\nspine-9# ",
    )
    assert session.failed == ""
    assert session.done
    assert [(out.line, out.command, out.errors) for out in outputs(events)] == [
        (3, "vlan 10", ()),
        (4, "vlan 9999", ("% Invalid value/range at '^' marker.",)),
        (6, "hostname spine-9", ()),
        (7, "copp x", ()),
    ]


@pytest.mark.parametrize(
    ("lines", "printed", "why"),
    [
        (["vlan 10"], ["Configuration locked.\nleaf-1# "], "not in config mode before line 1"),
        (["exit", "x"], ["leaf-1(config)# ", "exit\nleaf-1# "], "not in config mode before line 2"),
    ],
)
def test_a_configuration_stops_outside_its_mode(
    lines: list[str], printed: list[str], why: str
) -> None:
    session = configuration(PLATFORM, host="leaf-1", lines=lines)
    start = ["terminal dont-ask\nleaf-1# ", "configure terminal\n" + printed[0], *printed[1:]]
    answered(session, *READY, *start)
    assert session.failed.startswith(why)


@pytest.mark.parametrize("prompt", ["loader > ", "switch(boot)# ", "(yes/skip/no)[no]: "])
def test_a_node_that_is_not_up_is_told(prompt: str) -> None:
    session = asking("show clock")
    events = answered(session, prompt)
    assert session.failed.startswith("the node is not up")
    assert typed(events) == [Send()]


def test_a_console_that_keeps_silent_and_a_refused_login_end_it() -> None:
    silent = asking("show clock")
    silent.start()
    assert silent.wake_after == 30
    assert silent.wake() == []
    assert silent.failed.startswith("the console does not answer")
    nexus, session = FakeNexus(Habits(password="other")), asking("show clock")
    drive(session, nexus, nexus.start(), begin=session.start())
    assert session.failed.startswith("login refused")
    assert session.done


def test_a_login_that_takes_long_is_waited_for_as_long_as_it_goes_on() -> None:
    session = asking("show clock")
    answered(session, "leaf-1 login: ", "admin\nPassword: ")
    assert session.wake() == []
    assert (session.done, session.wake_after) == (False, 30)
    session.wake()
    assert session.failed.startswith("the console does not answer")


def test_a_command_is_not_hurried() -> None:
    session = asking("show tech")
    answered(session, *READY)
    assert session.wake_after is None
    assert session.wake() == []
    assert not session.done


def test_a_logout_that_is_not_seen_is_waited_for_a_while() -> None:
    session = asking()
    answered(session, "leaf-1 login: ", "admin\nPassword: ", "\n" + READY[0], *READY[1:])
    assert (session.done, session.wake_after) == (False, 10)
    session.wake()
    assert session.done
