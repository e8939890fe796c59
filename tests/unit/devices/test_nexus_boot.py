"""The boot of a Nexus, driven against a scripted one: the good ways, and every way to fail."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.console_driver import drive
from harness.fake_nexus import (
    IMAGE,
    NOT_ONLINE,
    OLD_POAP,
    PASSWORD,
    POAP,
    FakeNexus,
    Habits,
)
from labctl.console.events import BootEvent, Fault, PhaseEntered, Ready, Send
from labctl.devices.nxos.boot import NexusBoot
from labctl.model.platform import Platform
from labctl.topology.platforms import load_platforms

PLATFORM = load_platforms()["nxosv9k"]
FLOOR = 8192


def boot(image: str = IMAGE, *, undersized: bool = False, port: str = "Ethernet1/5") -> NexusBoot:
    return NexusBoot(
        sized(PLATFORM), host="leaf-1", last_port=port, boot_image=image, undersized=undersized
    )


def sized(platform: Platform) -> Platform:
    return replace(platform, memory_floor=FLOOR)


def run(
    habits: Habits, machine: NexusBoot, piece: int = 7
) -> tuple[list[BootEvent], FakeNexus, float]:
    nexus = FakeNexus(habits)
    events, seconds = drive(machine, nexus, nexus.start(), piece=piece)
    return events, nexus, seconds


def phases(events: list[BootEvent]) -> list[str]:
    return [event.name for event in events if isinstance(event, PhaseEntered)]


def faults(events: list[BootEvent]) -> list[str]:
    return [event.rule for event in events if isinstance(event, Fault)]


def errors(events: list[BootEvent]) -> list[int]:
    return [event.errors for event in events if isinstance(event, Ready)]


COMMANDS = [
    "admin",
    "(hidden)",
    "terminal length 0",
    "terminal width 511",
    "show interface brief",
    "",
    "show version",
    "copy running-config startup-config",
    "show boot",
    "! labctl: phase ready, 0 errors",
    "exit",
]
UP = ["login", "ports", "config", "save", "ready"]


@pytest.mark.parametrize("piece", [1, 7, 100000])
def test_a_boot_with_its_day0_needs_a_login_and_is_saved(piece: int) -> None:
    machine = boot()
    events, nexus, seconds = run(Habits(), machine, piece=piece)
    assert phases(events) == ["firmware", "loader", "kernel", "system", "init", *UP]
    assert faults(events) == []
    assert nexus.typed == COMMANDS
    assert errors(events) == [0]
    assert machine.ready
    assert seconds == 5  # after Copy complete.


def test_what_it_printed_replays_to_the_same_phases() -> None:
    nexus = FakeNexus(Habits())
    recorded = nexus.start()

    class Tape:
        def type(self, data: bytes) -> bytes:
            nonlocal recorded
            recorded += (printed := nexus.type(data))
            return printed

    events, _ = drive(boot(), Tape(), recorded)
    replayed = boot().resume(recorded)
    assert phases(replayed) == phases(events)
    assert errors(replayed) == [0]
    assert not any(isinstance(event, Send) for event in replayed)


@pytest.mark.parametrize("question", [POAP, OLD_POAP, NOT_ONLINE])
def test_poap_is_left_by_the_way_that_sets_labctls_password(question: str) -> None:
    machine = boot()
    events, nexus, _ = run(Habits(poap=question, password="something else"), machine)
    assert nexus.typed[:5] == ["yes", "no", "(hidden)", "(hidden)", "no"]
    assert phases(events)[-7:] == ["poap", "setup", *UP]
    assert nexus.habits.password == PASSWORD


def test_poap_that_is_printed_again_is_answered_again_only_after_a_while() -> None:
    machine = boot()
    _, nexus, seconds = run(Habits(poap=POAP, poap_repeats=3), machine)
    assert nexus.typed[:6] == ["yes", "yes", "yes", "yes", "no", "(hidden)"]
    assert seconds == 3 * 30 + 5
    assert machine.ready


def test_an_answer_to_poap_is_never_typed_into_the_next_question() -> None:
    machine = boot()
    machine.feed(b"BdsDxe: x\r\n" + POAP.encode())
    reprint = b"yes\r\n" + b"noise - " + POAP.encode() + b"\r\n"
    assert not [event for event in machine.feed(reprint) if isinstance(event, Send)]
    assert machine.wake_after == 30
    machine.feed(b"\r\n   ---- System Admin Account Setup ----\r\n")
    assert machine.wake_after is None
    assert machine.wake() == []


def test_the_loader_is_told_the_image_and_how() -> None:
    machine = boot()
    events, nexus, _ = run(Habits(loader_stops=1), machine)
    assert nexus.typed[0] == f"boot bootflash:{IMAGE}"
    assert phases(events)[:2] == ["firmware", "loader"]
    assert machine.ready


@pytest.mark.parametrize("known", ["", "nxos.9.9.9.bin"])
def test_an_image_that_is_not_known_or_not_there_is_looked_for(known: str) -> None:
    machine = boot(known)
    _, nexus, _ = run(Habits(loader_stops=1, listing=("core.tar", IMAGE, f"{IMAGE}.upg")), machine)
    assert nexus.booted == [IMAGE]
    assert machine.ready


def test_boots_that_fail_are_tried_again_half_a_minute_later() -> None:
    machine = boot()
    _, nexus, seconds = run(Habits(loader_stops=1, boot_fails=3), machine)
    assert machine.ready
    assert seconds == 3 * 30 + 5
    assert nexus.booted == [IMAGE]


def test_a_kickstart_prompt_is_no_command_line() -> None:
    machine = boot()
    _, nexus, _ = run(Habits(kickstart=True), machine)
    assert nexus.typed[0] == "load-nxos"
    assert machine.ready


def test_messages_printed_behind_prompts_change_nothing() -> None:
    machine = boot()
    _, nexus, _ = run(Habits(glued=True, poap=POAP), machine)
    assert machine.ready
    assert nexus.typed[-len(COMMANDS) :] == COMMANDS


def test_ports_names_saves_and_boot_variables_are_waited_for() -> None:
    machine = boot()
    _, nexus, seconds = run(Habits(ports_after=3, named_after=2, aborts=2, boot_after=4), machine)
    assert machine.ready
    assert nexus.typed.count("show interface brief") == 4
    assert nexus.typed.count("copy running-config startup-config") == 2 + 5
    assert seconds == 3 * 10 + 1 * 10 + 4 * 10 + 2 * 60 + 5 * 5


def test_errors_while_the_day0_is_applied_are_counted() -> None:
    machine = boot()
    banner = (
        "% Invalid command at '^' marker.\n%Incomplete command\n"
        "%ASCII-CFG-2-CONF_CONTROL: System ready\nSysconf checksum failed\n"
    )
    events, nexus, _ = run(Habits(banner=banner), machine)
    assert errors(events) == [2]
    assert nexus.typed[-2] == "! labctl: phase ready, 2 errors"


@pytest.mark.parametrize(
    ("habits", "fault", "phase"),
    [
        (Habits(dies="Kernel panic - not syncing: Fatal\n"), "kernel panic", "init"),
        (Habits(dies="EXT4-fs: Corrupt metadata in inode 12\n"), "corrupt metadata", "init"),
        (
            Habits(dies="BdsDxe: No bootable option or device was found.\n"),
            "no bootable disk",
            "firmware",
        ),
        (Habits(dies="UEFI Interactive Shell v2.2\n"), "firmware shell", "init"),
        (Habits(dies="No bootflash. Rebooting\n"), "no bootflash", "init"),
        (Habits(loader_stops=1, boot_fails=99), "loader loop", "loader"),
        (Habits(poap=POAP, poap_repeats=99), "POAP loop", "poap"),
        (Habits(poap=POAP, strict=True), "weak password", "setup"),
        (Habits(password="another"), "login refused", "login"),
        (Habits(day0=False), "day-0 not applied", "config"),
        (Habits(kib=6096432), "low memory", "config"),
        (Habits(banner="Memory limit 3.8GB detected. Limiting routes\n"), "low memory", "login"),
        (Habits(boot_after=99), "boot variable not set", "save"),
        (Habits(aborts=99), "configuration not saved", "save"),
    ],
)
def test_what_can_go_wrong_has_a_name(habits: Habits, fault: str, phase: str) -> None:
    machine = boot()
    events, nexus, _ = run(habits, machine)
    assert faults(events) == [fault]
    assert machine.phase == phase
    found = next(event for event in events if isinstance(event, Fault))
    assert found.line
    assert found.explanation
    typed = list(nexus.typed)
    assert machine.wake() == []
    assert not [e for e in machine.feed(b"\r\nleaf-1# ") if isinstance(e, Send)]
    assert nexus.typed == typed


def test_a_node_without_wires_is_asked_for_no_port() -> None:
    machine = boot(port="")
    _, nexus, _ = run(Habits(), machine)
    assert machine.ready
    assert "show interface brief" not in nexus.typed


def test_too_little_memory_may_be_allowed() -> None:
    machine = boot(undersized=True)
    habits = Habits(kib=4002196, banner="Memory limit 3.8GB detected. Limiting routes\n")
    events, _, _ = run(habits, machine)
    assert machine.ready
    assert faults(events) == []


def test_passwords_are_named_and_never_held() -> None:
    events, _, _ = run(Habits(poap=POAP), boot())
    secrets = [event for event in events if isinstance(event, Send) and event.secret]
    assert secrets == [Send(secret="nxos-admin")] * 3
    assert PASSWORD not in repr(events)


def test_nothing_is_typed_before_a_prompt_however_long_it_is_silent() -> None:
    machine = boot()
    machine.feed(b"BdsDxe: starting\r\nLoading system software\r\n")
    assert machine.wake_after is None
    assert machine.wake() == []
    assert machine.allowed == 1800
    assert machine.tail(1) == ["Loading system software"]


def test_a_machine_that_starts_over_is_driven_anew() -> None:
    machine = boot()
    machine.feed(b"BdsDxe: starting\r\n\r\nleaf-1# ")
    events = machine.feed(b"BdsDxe: starting\r\nUser Access Verification\r\nleaf-1 login: ")
    assert events[-1] == Send("admin")
    assert machine.feed(b"admin\r\nPassword: ")[-1] == Send(secret="nxos-admin")
    assert machine.feed(b"\r\nleaf-1# ")[-1] == Send("terminal length 0")


@pytest.mark.parametrize(
    ("history", "typed"),
    [
        (POAP, [Send("yes")]),
        (POAP + "yes\r\n", []),
        ("leaf-1 login: ", [Send("admin")]),
        ("leaf-1 login: 2021 Mar 26 21:59:21 leaf-1 %$ VDC-1 %$ %X-2-Y: z", [Send("admin")]),
        ("leaf-1 login: admin\r\nPassword: \r\n", []),
        ("leaf-1# ", [Send("terminal length 0")]),
        ("leaf-1# show vers", []),
        ("loader > ", [Send(f"boot bootflash:{IMAGE}")]),
        ("loader > boot bootflash:x\r\nTrying diskboot\r\n", []),
    ],
)
def test_a_recorded_past_is_not_answered_but_what_still_waits_is(
    history: str, typed: list[Send]
) -> None:
    events = boot().resume(b"BdsDxe: starting\r\n" + history.encode())
    assert [event for event in events if isinstance(event, Send)] == typed
