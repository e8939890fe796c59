"""`up` of Nexus switches over their consoles: from POAP to ready, and each fault to its name."""

from __future__ import annotations

import time

import pytest

from harness.fake_nexus import POAP, Habits
from harness.nexus_site import NexusHypervisor, NexusSite
from labctl.errors import ConsoleBusy, ExitCode, PhaseError, PreflightRefused
from labctl.hypervisor.api import DomainState
from labctl.ops import boot, keyboard
from labctl.ops.events import PhaseEntered
from labctl.ops.exec import execute
from labctl.ops.results import NodeOutcome, UpResult
from labctl.ops.secrets import admin_password
from labctl.ops.status import status
from labctl.ops.verify import verify_live
from labctl.verify.model import CheckKind, Status


class FastClock:
    """A clock on which a hundred seconds pass in one: a Nexus is waited for in minutes."""

    @staticmethod
    def monotonic() -> float:
        return time.monotonic() * 100


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boot, "_POLL_SECONDS", 0.005)
    monkeypatch.setattr(boot, "time", FastClock)


def test_a_console_somebody_holds_keeps_nobody_from_judging_the_others(
    nexus_site: NexusSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keyboard, "ATTACH_SECONDS", 0.1)
    monkeypatch.setattr(keyboard, "_RETRY_SECONDS", 0.01)
    nexus_site.write_pair()
    nexus_site.up()
    held = nexus_site.fake.open_console("pair.leaf-1")
    report = verify_live(nexus_site.context, "pair")
    nodes = {c.node: c.status for c in report.checks if c.kind is CheckKind.NODE}
    assert nodes == {"spine-1": Status.PASS, "leaf-1": Status.NOT_CHECKED}
    (failed,) = execute(nexus_site.context, "pair", "show clock", nodes=["leaf-1"])
    assert isinstance(failed.error, ConsoleBusy)
    held.close()


def outcome(result: UpResult, node: str) -> NodeOutcome:
    return next(found for found in result.outcomes if found.node == node)


def failure(site: NexusSite, habits: Habits) -> PhaseError:
    """How `up` ends for a leaf of these habits; the spine must be ready all the same."""
    site.habits["leaf-1"] = habits
    site.write_pair()
    result = site.up()
    assert outcome(result, "spine-1").error is None
    error = outcome(result, "leaf-1").error
    assert isinstance(error, PhaseError)
    return error


def test_a_healthy_pair_is_led_to_ready(nexus_site: NexusSite) -> None:
    nexus_site.write_pair()
    result = nexus_site.up()
    assert [found.error for found in result.outcomes] == [None, None]
    phases = [
        e.phase for e in nexus_site.events if isinstance(e, PhaseEntered) and e.node == "leaf-1"
    ]
    assert phases[-4:] == ["ports", "config", "save", "ready"]
    nexus, _ = nexus_site.running["pair.leaf-1"]
    assert "copy running-config startup-config" in nexus.typed
    assert nexus_site.up().plan.empty


def test_the_password_is_typed_and_nowhere_written(nexus_site: NexusSite) -> None:
    nexus_site.habits["leaf-1"] = Habits(poap=POAP)
    nexus_site.write_pair()
    nexus_site.up()
    password = admin_password(nexus_site.home).encode()
    medium = nexus_site.home.lab("pair").node("leaf-1").day0
    assert password in medium.read_bytes()
    assert medium.stat().st_mode & 0o077 == 0
    secret = {medium, nexus_site.home.lab("pair").node("spine-1").day0}
    secret.add(nexus_site.home.admin_password)
    for path in nexus_site.home.folder.rglob("*"):
        if path.is_file() and path not in secret:
            assert password not in path.read_bytes(), path
    assert all(password.decode() not in repr(event) for event in nexus_site.events)
    assert password.decode() not in nexus_site.fake.xml("pair.leaf-1")


@pytest.mark.parametrize(
    "habits",
    [
        Habits(poap=POAP, day0=True),
        Habits(loader_stops=1),
        Habits(kickstart=True),
        Habits(glued=True),
        Habits(ports_after=0, aborts=0, banner="User Access Verification\n"),
    ],
    ids=["poap", "loader", "kickstart", "glued syslog", "banner"],
)
def test_questions_on_the_way_are_answered(nexus_site: NexusSite, habits: Habits) -> None:
    nexus_site.habits["leaf-1"] = habits
    nexus_site.write_pair()
    assert [found.error for found in nexus_site.up().outcomes] == [None, None]


@pytest.mark.parametrize(
    ("dies", "fault"),
    [
        ("Kernel panic - not syncing: Fatal exception\n", "kernel panic"),
        ("EXT4-fs error: Corrupt metadata in inode 12\n", "corrupt metadata"),
        ("Memory limit 3.8GB detected. Limiting routing table to 4k routes\n", "low memory"),
    ],
)
def test_a_fault_on_the_console_has_its_name(nexus_site: NexusSite, dies: str, fault: str) -> None:
    error = failure(nexus_site, Habits(dies=dies))
    assert f"leaf-1: {fault}: " in error.brief
    assert error.exit_code != ExitCode.DEADLINE
    assert error.phase
    assert dies.strip() in error.tail[-1]


def test_too_little_memory_is_found_at_the_prompt_too(nexus_site: NexusSite) -> None:
    error = failure(nexus_site, Habits(kib=4002196))
    assert "low memory" in error.brief
    assert error.phase == "config"


def test_a_day0_that_was_not_read_is_found(nexus_site: NexusSite) -> None:
    error = failure(nexus_site, Habits(day0=False))
    assert "day-0 not applied" in error.brief


def test_undersized_only_if_the_file_says_so_and_then_for_ever(nexus_site: NexusSite) -> None:
    small = "nodes: {leaf-1: {memory: 4 GiB}}\n"
    nexus_site.write_pair(small)
    with pytest.raises(PreflightRefused, match="less than the 8192 MiB needed"):
        nexus_site.up()
    assert nexus_site.states == {}
    nexus_site.habits["leaf-1"] = Habits(kib=4002196)
    nexus_site.write_pair(f"allow_undersized: true\n{small}")
    assert [found.error for found in nexus_site.up().outcomes] == [None, None]
    (lab,) = status(nexus_site.context)
    leaf = next(node for node in lab.nodes if node.node == "leaf-1")
    assert leaf.phase == "ready"
    assert any("undersized: 4096 MiB" in problem for problem in leaf.problems)


def test_a_run_that_was_cut_off_is_taken_on(nexus_site: NexusSite) -> None:
    nexus_site.write_pair()
    nexus_site.up(wait=False)
    assert set(nexus_site.states.values()) == {DomainState.RUNNING}
    result = nexus_site.up()
    assert result.plan.empty
    assert [found.error for found in result.outcomes] == [None, None]
    nexus, _ = nexus_site.running["pair.leaf-1"]
    assert nexus.typed.count("admin") == 1


def test_a_node_that_reloads_is_not_ready_until_it_is_again(nexus_site: NexusSite) -> None:
    """Its record holds the ready of the boot before, which counts no more."""
    nexus_site.write_pair()
    nexus_site.up()
    assert isinstance(nexus_site.fake, NexusHypervisor)
    nexus_site.fake.reload("pair.leaf-1")
    (lab,) = status(nexus_site.context)
    assert {node.node: node.phase for node in lab.nodes}["leaf-1"] != "ready"
    result = nexus_site.up()
    assert [(found.node, found.error) for found in result.outcomes] == [("leaf-1", None)]
    nexus, _ = nexus_site.running["pair.leaf-1"]
    assert "copy running-config startup-config" in nexus.typed
    (lab,) = status(nexus_site.context)
    assert {node.phase for node in lab.nodes} == {"ready"}


def test_commands_go_over_the_console(nexus_site: NexusSite) -> None:
    nexus_site.write_pair()
    nexus_site.up()
    (done,) = execute(nexus_site.context, "pair", "show version", nodes=["leaf-1"])
    assert (done.returncode, done.error) == (0, None)
    assert "kB of memory" in done.stdout
    (wrong,) = execute(nexus_site.context, "pair", "shwo version", nodes=["leaf-1"])
    assert wrong.returncode == 1
    assert "% Invalid command" in wrong.stdout
    options = {"shell": True}
    (outside,) = execute(nexus_site.context, "pair", "ls", nodes=["leaf-1"], **options)
    assert outside.error is not None
    assert "no shell" in outside.error.brief
