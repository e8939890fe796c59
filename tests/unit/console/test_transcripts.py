"""Consoles of real switches: every prompt in them is recognised, live and in the finished log."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from labctl.console.dialogue import Dialogue
from labctl.console.events import DialogueEvent, Fault, PhaseEntered, PromptSeen
from labctl.topology.platforms import load_platforms

FOLDER = Path(__file__).parents[2] / "fixtures" / "nxos-console"
PLATFORM = load_platforms()["nxosv9k"]
HOSTS = ["N93_1", "N93_1-N77_3", "N93_1-N77_4", "admin-ott-tb1-n7k2", "N7K-B", "admin", "leaf4"]
KINDS = {
    "Username": "login",
    "login:": "login",
    "Password:": "password",
    "secure password": "secure password",
    "the password for": "new password",
    "loader": "loader",
    "(boot)#": "kickstart",
    "(boot)(": "kickstart config",
    "reboot the system": "reload",
    "reload module": "confirm",
    "reset operation": "confirm",
    "(yes/no/cancel)": "confirm",
    "POAP": "poap",
    "Auto Provisioning": "poap",
    "configuration dialog": "setup dialog",
    "More": "pager",
    "Enter ": "copy",
    "'s password": "copy",
    "Password for": "copy",
    "bash": "shell",
    "Linux": "shell",
    "root@": "shell",
    "@guestshell": "shell",
    "module-1": "shell",
    "sqlite": "tool",
    "L2RIBCLIENT": "tool",
    "(standby)": "standby",
    "(config": "config",
}


def transcripts() -> Iterator[tuple[str, str, str]]:
    """File, what came before a prompt, and the prompt, of every state in every file."""
    for path in sorted(FOLDER.glob("*.yaml")):
        for state in yaml.safe_load(path.read_text()).values():
            if isinstance(state, dict) and state.get("prompt"):
                yield path.name, preface(state), state["prompt"].replace("%N", "N93_1")


def preface(state: dict[str, Any]) -> str:
    before = state.get("preface") or ""
    text = before.get("response", "") if isinstance(before, dict) else before
    return "" if text.endswith("\n") or not text else text + "\n"


def kind_of(prompt: str) -> str:
    """The kind a prompt must have: the first that fits; what has no word of its own is exec."""
    order = sorted(KINDS, key=lambda word: (word not in prompt, word != "(standby)", -len(word)))
    return KINDS[order[0]] if order[0] in prompt else "exec"


def prompts(events: list[DialogueEvent]) -> list[PromptSeen]:
    return [event for event in events if isinstance(event, PromptSeen)]


CASES = sorted(set(transcripts()))


def test_the_transcripts_are_there() -> None:
    assert len(CASES) > 60
    assert {kind_of(prompt) for _, _, prompt in CASES} >= {*KINDS.values(), "exec"}


@pytest.mark.parametrize(("file", "before", "prompt"), CASES)
def test_every_prompt_is_recognised_while_it_waits(file: str, before: str, prompt: str) -> None:
    dialogue = Dialogue(PLATFORM, HOSTS)
    dialogue.feed(before.replace("\n", "\r\n").encode())
    found = prompts(dialogue.feed(prompt.encode()))
    assert [event.kind for event in found] == [kind_of(prompt)]
    assert dialogue.feed(b"") == []


@pytest.mark.parametrize(("file", "before", "prompt"), CASES)
def test_every_prompt_is_recognised_in_a_log(file: str, before: str, prompt: str) -> None:
    noise = "2021 Mar 26 21:59:32 switch %$ VDC-1 %$ %ASCII-CFG-2-CONF_CONTROL: System ready"
    for behind in ("an answer", noise):
        data = f"{before}{prompt}{behind}\n".replace("\n", "\r\n").encode()
        found = prompts(Dialogue(PLATFORM, HOSTS).feed(data))
        assert found[-1].kind == kind_of(prompt)
        assert data[found[-1].offset :].startswith(found[-1].text.encode())


@pytest.mark.parametrize("host", ["switch", "N93_1", "leaf4"])
def test_a_prompt_glued_to_a_message_is_recognised(host: str) -> None:
    dialogue = Dialogue(PLATFORM, HOSTS)
    message = b"2021 Mar 26 21:59:32 %$ VDC-1 %$ %VSHD-5-VSHD_SYSLOG_CONFIG_I: Configured"
    assert [e.kind for e in prompts(dialogue.feed(message + f"{host}# ".encode()))] == ["exec"]


@pytest.mark.parametrize(
    "text",
    [
        "[########################################] 100%\n",
        "Copy complete, now saving to disk (please wait)...\n",
        "Last login: Tue Mar 27 04:07:52 on ttyS0\n",
        "CPU#0 Card#1 stuck\n",
        "  <config># \n",
        "S26 5: Before Move : TOR HW  :\n",
    ],
)
def test_what_looks_like_a_prompt_is_none(text: str) -> None:
    assert prompts(Dialogue(PLATFORM, HOSTS).feed(text.encode())) == []


def test_whole_reloads_show_their_phases_and_no_fault() -> None:
    expected = ["firmware", "loader", "kernel", "system", "init", "login"]
    dialogue = Dialogue(PLATFORM)
    events = dialogue.feed((FOLDER / "n9k_reload.txt").read_bytes())
    assert [event.name for event in events if isinstance(event, PhaseEntered)] == expected
    states = yaml.safe_load((FOLDER / "nxos_mock_data_reload.yaml").read_text())
    for name, count in (("login_after_reload", 6), ("boot_loader", 2)):
        events = Dialogue(PLATFORM).feed(states[name]["preface"].encode())
        phases = [event.name for event in events if isinstance(event, PhaseEntered)]
        assert phases == expected[:count]
        assert not [event for event in events if isinstance(event, Fault)]


def test_benign_lines_are_no_faults() -> None:
    lines = (
        b"Sysconf checksum failed. Using default values\nWARNING: No BIOS Info found\n"
        b"Bad Partition bootflash size 4G too small < min 8G\nNo valid sysconf found\n"
    )
    events = Dialogue(PLATFORM).feed(lines)
    assert not [event for event in events if isinstance(event, Fault)]
