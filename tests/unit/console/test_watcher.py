"""The boot watcher: the same events however the stream is cut, through any noise."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from labctl.console.events import ConsoleEvent, Fault, PhaseEntered, Ready
from labctl.console.watcher import LINE_LIMIT, TAIL_LINES, BootWatcher, clean
from labctl.model.platform import FaultRule, PhaseRule, Platform
from labctl.topology.platforms import load_platforms

PLATFORM = replace(
    load_platforms()["frr"],
    start_deadline=10.0,
    phases=(
        PhaseRule("init", "phase init", 20.0),
        PhaseRule("network", "phase network", 30.0),
        PhaseRule("ready", r"phase ready( errors=(?P<errors>\d+))?", 1.0),
    ),
    faults=(
        FaultRule("panic", "Kernel panic", "the kernel stopped"),
        FaultRule("refused", "error:", "a line was refused"),
    ),
)
BOOT = (
    b"\x1b[2J\x1b[H\x00\x00SeaBIOS (version 1.16)\r\n"
    b"guest: \x1b[1mphase\x1b[0m init\r\n"
    b"guest: pha\rse net\rwork\r\n"
    b"guest: error: frr.conf:3: \xff no such\x08\x08 command\r\n"
    b"\x1b]0;a title\x07guest: phase ready errors=1\r\n"
    b"guest login: "
)


def watch(data: bytes, cuts: list[int], platform: Platform = PLATFORM) -> list[ConsoleEvent]:
    watcher, events, last = BootWatcher(platform), list[ConsoleEvent](), 0
    for cut in [*sorted(cuts), len(data)]:
        events += watcher.feed(data[last:cut])
        last = cut
    return events


def test_a_boot_is_told_phase_by_phase_with_faults_and_offsets() -> None:
    events = watch(BOOT, [])
    assert [type(event) for event in events] == [
        PhaseEntered,
        PhaseEntered,
        Fault,
        PhaseEntered,
        Ready,
    ]
    init, network, fault, _, ready = events
    assert isinstance(init, PhaseEntered)
    assert (init.name, BOOT[init.offset :][:6]) == ("init", b"guest:")
    assert isinstance(network, PhaseEntered)
    assert network.name == "network"
    assert isinstance(fault, Fault)
    assert (fault.rule, fault.line) == ("refused", "guest: error: frr.conf:3: � no such command")
    assert isinstance(ready, Ready)
    assert ready.errors == 1


@given(st.lists(st.integers(0, len(BOOT))))
def test_any_split_of_a_boot_gives_the_same_events(cuts: list[int]) -> None:
    assert watch(BOOT, cuts) == watch(BOOT, [])


NOISE = st.lists(
    st.sampled_from(
        [
            b"\r",
            b"\n",
            b"\x00",
            b"\x1b[31m",
            b"\x1b",
            b"[",
            b"phase init",
            b"phase network",
            b"phase ready",
            b"error:",
            b"Kernel panic",
            b"\xc3\xa9",
            b" ",
            b"x" * (LINE_LIMIT // 3),
        ]
    ),
    max_size=20,
).map(b"".join)


@given(NOISE, st.lists(st.integers(0, 1 << 18)))
def test_any_split_of_noise_gives_the_same_events_and_tail(data: bytes, cuts: list[int]) -> None:
    inside = [cut for cut in cuts if cut <= len(data)]
    assert watch(data, inside) == watch(data, [])
    whole, split = BootWatcher(PLATFORM), BootWatcher(PLATFORM)
    whole.feed(data)
    for number in range(len(data[:2000])):
        split.feed(data[number : number + 1])
    split.feed(data[2000:])
    assert split.tail(5) == whole.tail(5)


def test_progress_is_what_the_platform_says() -> None:
    watcher = BootWatcher(PLATFORM)
    assert (watcher.phase, watcher.allowed, watcher.ready) == ("", 10.0, False)
    watcher.feed(b"phase init\n")
    assert (watcher.phase, watcher.allowed, watcher.ready) == ("init", 20.0, False)
    watcher.feed(b"phase ready\n")
    assert (watcher.phase, watcher.ready) == ("ready", True)


def test_ready_without_a_count_counts_the_faults_of_this_boot() -> None:
    first_boot = b"phase init\nerror: a\nerror: b\nphase ready\n"
    second_boot = b"phase init\nerror: c\nphase ready\n"
    ready = [event for event in watch(first_boot + second_boot, []) if isinstance(event, Ready)]
    assert [event.errors for event in ready] == [2, 1]


def test_a_repeated_phase_line_is_no_event_and_a_reboot_is() -> None:
    events = watch(b"phase init\nphase init\nphase network\nphase init\n", [])
    assert [e.name for e in events if isinstance(e, PhaseEntered)] == ["init", "network", "init"]


def test_the_tail_keeps_the_last_lines_and_the_unfinished_one() -> None:
    watcher = BootWatcher(PLATFORM)
    watcher.feed(b"".join(b"line %d\r\n\r\n" % number for number in range(TAIL_LINES + 5)))
    watcher.feed(b"login: ")
    assert watcher.tail(2) == [f"line {TAIL_LINES + 4}", "login: "]
    assert watcher.tail(0) == []
    assert len(watcher.tail(10 * TAIL_LINES)) == TAIL_LINES + 1


def test_clean_leaves_what_a_person_reads() -> None:
    assert clean(b"\x1b[1;31mKer\rnel\x1b[0m pan\x08ic\x00\tnow") == "Kernel panic\tnow"


def test_the_shipped_platforms_read_the_guests_lines() -> None:
    console = (
        b"labctl-guest: phase init\r\nlabctl-guest: phase day0\r\nlabctl-guest: phase network\r\n"
        b"labctl-guest: phase daemons\r\nlabctl-guest: phase ready errors=3\r\n"
    )
    guests = [p for p in load_platforms().values() if p.automation == "agent"]
    assert len(guests) == 2
    for platform in guests:
        events = watch(console, [], platform)
        assert isinstance(events[-1], Ready)
        assert events[-1].errors == 3
