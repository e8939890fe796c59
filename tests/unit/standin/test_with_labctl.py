"""labctl and the stand-in face to face, without a machine: booted, led, asked and judged."""

from __future__ import annotations

import contextlib
import re
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from harness.nexus_labs import PLATFORMS, configs, intent_of
from harness.standin import DAY0, PASSWORD, TOPOLOGY, Talk, playing
from labctl.console.events import BootEvent, Fault, PhaseEntered, Ready, Send
from labctl.devices.nxos.boot import NexusBoot
from labctl.model.intent import Intent
from labctl.model.secret import ADMIN_PASSWORD
from labctl.verify.checks import checks
from labctl.verify.collect import plan_commands
from labctl.verify.evidence import Evidence, slug
from labctl.verify.fabric import Fabric
from labctl.verify.model import CauseKind, VerifyReport

IMAGE = "nxos.7.0.3.I7.4.bin"
HURRY = 0.002  # a second of labctl's patience, in this test's
QUIET = 1.5  # seconds without a byte or a wish: it hangs
PLATFORM = replace(PLATFORMS["nxosv9k"], memory_floor=8192)
IMPORT = "  vni 10010 l2\n    rd auto\n    route-target import "


def lead(line: Talk, host: str, port: str = "Ethernet1/2") -> list[BootEvent]:
    """Let labctl boot what is on the line; what it saw until it was ready, gave up, or hung."""
    boot = NexusBoot(PLATFORM, host=host, last_port=port, boot_image=IMAGE)
    events: list[BootEvent] = []
    while not any(isinstance(event, Fault | Ready) for event in events):
        wanted = boot.wake_after
        data = line.read(QUIET if wanted is None else wanted * HURRY)
        if not data and wanted is None:
            break
        new = boot.feed(data) if data else boot.wake()
        events += new
        for event in new:
            if isinstance(event, Send):
                secret = PASSWORD if event.secret else ""
                line.write((event.text + secret).encode() + b"\r" * event.enter)
    return events


def ended(events: list[BootEvent]) -> str:
    """The fault, `ready`, or the phase in which it hung."""
    last = [e for e in events if isinstance(e, Fault | Ready)]
    if last:
        return last[0].rule if isinstance(last[0], Fault) else f"ready, {last[0].errors} errors"
    return f"hung in {[e.name for e in events if isinstance(e, PhaseEntered)][-1]}"


@pytest.mark.parametrize(
    ("fault", "end"),
    [
        ("", "ready, 0 errors"),
        ("loader-loop", "loader loop"),
        ("panic", "kernel panic"),
        ("inode-corruption-hang", "corrupt metadata"),
        ("silence", "hung in system"),
        ("memory-cap", "low memory"),
        ("glued-syslog", "ready, 0 errors"),
        ("poap", "ready, 0 errors"),
        ("poap-loop", "POAP loop"),
        ("weak-password", "weak password"),
        ("login-refused", "login refused"),
        ("no-boot-variable", "boot variable not set"),
    ],
)
def test_each_fault_ends_with_its_name(tmp_path: Path, fault: str, end: str) -> None:
    asked = f"! standin: fault {fault}\n" if fault else ""
    with playing(tmp_path, DAY0 + asked) as line:
        assert ended(lead(line, "leaf-1")) == end


def test_refused_lines_are_counted(tmp_path: Path) -> None:
    with playing(tmp_path, f"{DAY0}feature lldp\n! standin: fault config-errors\n") as line:
        assert re.fullmatch(r"ready, [1-9]\d* errors", ended(lead(line, "leaf-1")))


def test_without_a_medium_it_is_said_that_day0_was_not_applied(tmp_path: Path) -> None:
    with playing(tmp_path) as line:
        assert ended(lead(line, "leaf-1")) == "day-0 not applied"


def test_a_loader_that_waits_is_led_out(tmp_path: Path) -> None:
    with playing(tmp_path, DAY0) as line:
        line.expect("login: $")
    with playing(tmp_path) as line:
        assert ended(lead(line, "leaf-1")) == "ready, 0 errors"


def test_labctls_script_sets_and_saves_the_boot_variable(tmp_path: Path) -> None:
    config = configs(intent_of(TOPOLOGY.format(routing="ospf", links="unnumbered")))["leaf-1"]
    assert "event manager applet" in config
    without = config.replace(f"boot nxos bootflash:/{IMAGE}\n", "")
    assert without != config
    with playing(tmp_path, without.replace(ADMIN_PASSWORD, PASSWORD)) as line:
        line.login()
        saved = line.run("show startup-config")
        assert f"boot nxos bootflash:///{IMAGE}" in saved
        assert "applet" not in saved


# --- A fabric of three ---


@contextlib.contextmanager
def fabric(folder: Path, wanted: Mapping[str, str]) -> Iterator[Mapping[str, Talk]]:
    """One spine and two leaves, port 1 of each leaf on port 1 and 2 of the spine, all booted."""
    cables = [socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM) for _ in range(2)]
    wires = {
        "spine-1": {1: cables[0][0], 2: cables[1][0]},
        "leaf-1": {1: cables[0][1]},
        "leaf-2": {1: cables[1][1]},
    }
    with contextlib.ExitStack() as stack:
        lines = {}
        for number, (name, cards) in enumerate(wires.items(), start=1):
            text = wanted[name].replace(ADMIN_PASSWORD, PASSWORD)
            made = playing(folder / name, text, number=number, wires=cards)
            lines[name] = stack.enter_context(made)
        for ends in cables:
            for end in ends:
                stack.enter_context(end)
        for name, line in lines.items():
            last = f"Ethernet1/{max(wires[name])}"
            assert ended(lead(line, name, last)) == "ready, 0 errors"
            line.login()
        yield lines


def judged(intent: Intent, lines: Mapping[str, Talk]) -> VerifyReport:
    """What labctl says of the fabric, asked as it asks."""
    asked = plan_commands(Fabric(intent, Evidence({}), PLATFORMS))
    outputs = {
        (name, slug(command)): lines[name].run(command)
        for name, commands in asked.items()
        for command in commands
    }
    return checks(intent, Evidence(outputs), PLATFORMS)


def settled(
    intent: Intent, lines: Mapping[str, Talk], right: Callable[[VerifyReport], bool]
) -> VerifyReport:
    """The report when it has become right, else the last one."""
    end = time.monotonic() + 40
    while True:
        report = judged(intent, lines)
        if right(report) or time.monotonic() > end:
            return report


@pytest.mark.parametrize(("routing", "links"), [("ospf", "unnumbered"), ("ebgp", "numbered")])
def test_a_fabric_as_labctl_renders_it_is_healthy(tmp_path: Path, routing: str, links: str) -> None:
    intent = intent_of(TOPOLOGY.format(routing=routing, links=links))
    with fabric(tmp_path, configs(intent)) as lines:
        report = settled(intent, lines, lambda r: bool(r.healthy))
        failed = [c for c in report.checks if c.status.value != "pass"]
        assert report.healthy, failed
        assert [c.seen for c in failed] == []


@pytest.mark.parametrize(
    ("node", "old", "new", "cause"),
    [
        ("spine-1", "      route-reflector-client\n", "", CauseKind.NOT_REFLECTING),
        ("leaf-2", f"{IMPORT}65000:10010\n", f"{IMPORT}65000:99999\n", CauseKind.RT_MISMATCH),
        ("leaf-2", "  neighbor 10.0.0.1\n", "  neighbor 10.0.0.1\n    shutdown\n",
         CauseKind.SESSION_SHUT),
        ("leaf-2", "  vn-segment 10010\n", "", CauseKind.VNI_DOWN),
    ],
)  # fmt: skip
def test_a_fault_of_the_fabric_has_its_cause_found(
    tmp_path: Path, node: str, old: str, new: str, cause: CauseKind
) -> None:
    intent = intent_of(TOPOLOGY.format(routing="ospf", links="unnumbered"))
    wanted = configs(intent)
    assert old in wanted[node]
    with fabric(tmp_path, {**wanted, node: wanted[node].replace(old, new)}) as lines:
        report = settled(intent, lines, lambda r: cause in {c.kind for c in r.causes})
        assert cause in {found.kind for found in report.causes}, report.causes
        assert not report.healthy
