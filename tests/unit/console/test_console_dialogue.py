"""The recognizer: the same events however the stream is cut, through any noise."""

from __future__ import annotations

from re import _parser as parser  # type: ignore[attr-defined]  # only it knows how long a match is

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.fake_nexus import DIALOG, FIRMWARE, KERNEL, LOADER, NOISE, POAP, SAVED, SETUP
from labctl.console.clean import Cleaner
from labctl.console.dialogue import Dialogue
from labctl.console.events import DialogueEvent, Fault, LineEnded, PhaseEntered, PromptSeen, Ready
from labctl.console.scan import WINDOW
from labctl.console.watcher import LINE_LIMIT, TAIL_LINES
from labctl.topology.platforms import load_platforms

PLATFORM = load_platforms()["nxosv9k"]
TEXT = f"""{FIRMWARE}{LOADER}boot bootflash:nxos.bin
{KERNEL}{NOISE}{POAP}{NOISE.strip()} - {POAP}yes
{SETUP}no
Enter the password for "admin":
{DIALOG}no

User Access Verification
leaf-1 login: {NOISE}admin
Password:
Login incorrect
 switch login: admin
leaf-1# show interface brief
Eth1/1
leaf-1# copy running-config startup-config
{SAVED}Kernel panic - not syncing: x
Configuredleaf-1# ! labctl: phase ready, 12 errors
leaf-1# """
BOOT = TEXT.replace("\n", "\r\n").encode()
OWN = BOOT.index(b"BdsDxe")
"""Where BOOT's own escape sequences are over."""


def watch(data: bytes, cuts: list[int]) -> list[DialogueEvent]:
    dialogue, events, last = Dialogue(PLATFORM, ["leaf-1"]), list[DialogueEvent](), 0
    for cut in [*sorted(cut for cut in cuts if cut <= len(data)), len(data)]:
        events += dialogue.feed(data[last:cut])
        last = cut
    return events


WHOLE = watch(BOOT, [])


def shapes(events: list[DialogueEvent]) -> list[object]:
    """Events without their offsets."""
    names = (PhaseEntered, PromptSeen, Fault, LineEnded)
    return [
        getattr(e, "name", getattr(e, "kind", getattr(e, "rule", getattr(e, "text", e))))
        for e in events
        if isinstance(e, names)
    ]


def test_a_boot_is_told_with_offsets() -> None:
    phases = [event.name for event in WHOLE if isinstance(event, PhaseEntered)]
    assert phases == [rule.name for rule in PLATFORM.phases if rule.name != "config"]
    for event in WHOLE:
        if isinstance(event, PromptSeen):
            assert BOOT[event.offset :].startswith(event.text.encode())
    kinds = [event.kind for event in WHOLE if isinstance(event, PromptSeen)]
    assert kinds == [
        *("loader", "poap", "poap", "secure password", "new password", "setup dialog"),
        *("login", "password", "login", "exec", "exec", "exec", "exec"),
    ]
    assert [e.rule for e in WHOLE if isinstance(e, Fault)] == ["kernel panic"]
    assert [e.errors for e in WHOLE if isinstance(e, Ready)] == [12]


def test_a_cut_at_any_byte_changes_nothing() -> None:
    for cut in range(len(BOOT) + 1):
        assert watch(BOOT, [cut]) == WHOLE, cut
    assert watch(BOOT, list(range(len(BOOT)))) == WHOLE


@given(st.lists(st.integers(0, len(BOOT))))
def test_cuts_anywhere_change_nothing(cuts: list[int]) -> None:
    assert watch(BOOT, cuts) == WHOLE


SPECKS = [b"\r", b"\x00", b"\x1b[0m", b"\x1b[=3h", b"\x1b[01;01H", b"\x1b]0;t\x07", b"\xff\xfd\x00"]


@given(
    st.lists(st.tuples(st.integers(OWN, len(BOOT)), st.sampled_from(SPECKS)), max_size=40),
    st.lists(st.integers(0, 2 * len(BOOT)), max_size=20),
)
def test_noise_anywhere_changes_no_event(specks: list[tuple[int, bytes]], cuts: list[int]) -> None:
    noisy = BOOT
    for place, speck in sorted(specks, reverse=True):
        noisy = noisy[:place] + speck + noisy[place:]
    assert shapes(watch(noisy, cuts)) == shapes(WHOLE)
    assert watch(noisy, cuts) == watch(noisy, [])


BITS = [
    *SPECKS,
    *(
        b"\n",
        b"\x08",
        b"\x1b",
        b"[",
        b"\xff",
        b"\xfa",
        b"\xf0",
        b"\x1b]",
        b"#",
        b" ",
        b"s",
        b"(y/n)",
    ),
    *(
        b"switch",
        b"leaf-1#",
        b"login:",
        b"loader >",
        b"(yes/no)[n]:",
        b"Kernel panic",
        b"Password:",
    ),
    *(b"x" * (LINE_LIMIT // 2), b"- " * 300, b"Abort Auto Provisioning", b"\xc3\xa9", b"--More--"),
]


@given(
    st.lists(st.sampled_from(BITS), max_size=30).map(b"".join),
    st.lists(st.integers(0, 1 << 17), max_size=30),
)
def test_cuts_in_any_stream_change_nothing(data: bytes, cuts: list[int]) -> None:
    assert watch(data, cuts) == watch(data, [])


@given(st.lists(st.sampled_from(BITS[:30]), max_size=20).map(b"".join))
def test_byte_by_byte_is_as_whole(data: bytes) -> None:
    if len(data) < 3000:
        assert watch(data, list(range(len(data)))) == watch(data, [])


PATTERNS = [
    *(rule.pattern for rule in PLATFORM.prompts),
    *(rule.pattern for rule in PLATFORM.phases),
]


@pytest.mark.parametrize("pattern", PATTERNS)
def test_patterns_are_short_and_hold_on_longer_text(pattern: str) -> None:
    pattern = pattern.replace("<host>", "leaf-1")
    assert parser.parse(pattern).getwidth()[1] <= WINDOW
    assert not pattern.endswith(("$", "\\b", "\\Z"))
    assert "(?=" not in pattern
    assert "$" not in pattern.replace("[#$]", "")


def test_backspaces_erase() -> None:
    text = b"--More--" + b"\x08" * 8 + b"loadx\x08er > \x08\n"
    events = watch(text, [])
    assert [e.text for e in events if isinstance(e, LineEnded)] == ["loader >"]
    assert [(e.kind, e.offset) for e in events if isinstance(e, PromptSeen)] == [
        ("pager", 0),
        ("loader", 16),
    ]


def test_a_line_without_end_is_cut() -> None:
    events = watch(b"x" * (2 * LINE_LIMIT + 5) + b"\nswitch# ", [])
    lines = [(len(e.text), e.whole) for e in events if isinstance(e, LineEnded)]
    assert lines == [(LINE_LIMIT, False), (LINE_LIMIT, False), (5, True)]
    assert isinstance(events[-1], PromptSeen)


def test_faults_that_count_start_again_when_a_boot_comes_further() -> None:
    dialogue = Dialogue(PLATFORM)
    refused = b"Login incorrect\n"
    events = dialogue.feed(b"Username: a\n" + refused + b"switch# show interface brief\n" + refused)
    assert not [event for event in events if isinstance(event, Fault)]
    events = dialogue.feed(refused)
    assert [event.rule for event in events if isinstance(event, Fault)] == ["login refused"]


def test_a_phase_that_is_once_is_no_restart() -> None:
    dialogue = Dialogue(PLATFORM)
    dialogue.feed(b"# ! labctl: phase ready, 0 errors\r\nswitch login: ")
    assert (dialogue.phase, dialogue.ready) == ("ready", True)
    dialogue.feed(b"BdsDxe: starting\r\n")
    assert (dialogue.phase, dialogue.allowed) == ("firmware", 180)


def test_a_phase_may_be_entered_by_who_knows() -> None:
    dialogue = Dialogue(PLATFORM)
    assert dialogue.enter("save") == [PhaseEntered("save", 0)]
    assert dialogue.enter("save") == []
    assert dialogue.enter("ready") == [PhaseEntered("ready", 0), Ready(0, 0)]


def test_the_tail_keeps_the_last_lines_and_the_unfinished_one() -> None:
    dialogue = Dialogue(PLATFORM)
    assert (dialogue.phase, dialogue.allowed) == ("", 120)
    dialogue.feed(b"".join(b"line %d\r\n\r\n" % number for number in range(TAIL_LINES + 5)))
    dialogue.feed(b"login: ")
    assert dialogue.tail(2) == [f"line {TAIL_LINES + 4}", "login: "]
    assert dialogue.tail(0) == []
    assert len(dialogue.tail(10 * TAIL_LINES)) == TAIL_LINES + 1


@given(st.binary(max_size=300), st.lists(st.integers(0, 300)))
def test_the_cleaner_loses_no_place(data: bytes, cuts: list[int]) -> None:
    cleaner, text, last = Cleaner(), b"", 0
    for cut in [*sorted(cut for cut in cuts if cut <= len(data)), len(data)]:
        for piece in cleaner.feed(data[last:cut]):
            assert data[piece.offset : piece.offset + len(piece.data)] == piece.data
            text += piece.data
        last = cut
    assert cleaner.offset == len(data)
    whole = Cleaner()
    assert text == b"".join(piece.data for piece in whole.feed(data))
