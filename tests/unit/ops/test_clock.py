"""Clocks of guests that went on from saved memory."""

from __future__ import annotations

import time

import pytest

from harness.site import LAB, Site, pair
from labctl.devices.nxos.clock import clock_command
from labctl.hypervisor.api import CommandResult
from labctl.ops import awakening
from labctl.ops.clock import set_clocks
from labctl.ops.events import Notice
from labctl.topology.platforms import load_platforms

LINUX = load_platforms()["linux"]


@pytest.fixture
def lab(site: Site) -> Site:
    site.write(pair("a", "b"))
    site.up()
    site.events.clear()
    return site


def test_each_guest_gets_the_hosts_time(lab: Site) -> None:
    asked: dict[str, tuple[str, ...]] = {}

    def guest(domain: str, argv: tuple[str, ...]) -> CommandResult:
        asked[domain] = argv
        return CommandResult(0, "", "")

    lab.fake.guest = guest
    assert set_clocks(lab.context, lab.fake, LAB, {"a": LINUX, "b": LINUX}) == ()
    assert set(asked) == {f"{LAB}.a", f"{LAB}.b"}
    for argv in asked.values():
        assert argv[:3] == ("date", "-u", "-s")
        assert abs(int(argv[3].removeprefix("@")) - time.time()) < 2
    assert not lab.events


def test_a_clock_that_resists_is_told_and_stops_no_other(lab: Site) -> None:
    def guest(domain: str, _argv: tuple[str, ...]) -> CommandResult:
        return CommandResult(int(domain.endswith(".a")), "", "date: not permitted\n")

    lab.fake.guest = guest
    assert set_clocks(lab.context, lab.fake, LAB, {"a": LINUX, "b": LINUX}) == ("a",)
    assert lab.events == [
        Notice("its clock is late: it refused the time: date: not permitted", "a")
    ]


def test_a_guest_without_an_agent_is_told_of(lab: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(awakening, "AGENT_SECONDS", 0.3)
    assert set_clocks(lab.context, lab.fake, LAB, {"b": LINUX}) == ("b",)
    (event,) = lab.events
    assert isinstance(event, Notice)
    assert event.node == "b"


def test_an_agent_that_comes_late_is_waited_for(lab: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(awakening, "AGENT_SECONDS", 60.0)

    def comes() -> None:
        lab.fake.guest = lambda domain, argv: CommandResult(0, "", "")

    lab.fake.faults.at("agent_ready", comes, call=2)
    assert set_clocks(lab.context, lab.fake, LAB, {"b": LINUX}) == ()


def test_a_nexus_is_told_in_its_own_words() -> None:
    assert clock_command(1_212_159_600) == "clock set 15:00:00 30 May 2008"
    assert clock_command(0) == "clock set 00:00:00 1 January 1970"
