"""What only the fake can do: go wrong on demand, boot at once, hold a thousand domains."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from harness.backends import Backend
from harness.fake import FakeHypervisor, writes_console_log
from harness.fake_console import FakeConsole
from harness.faults import die, freeze, refuse
from labctl.errors import HypervisorError
from labctl.hypervisor.api import CommandResult, DomainState


def names(fake: FakeHypervisor) -> list[str]:
    return [domain.name for domain in fake.domains()]


def xml(name: str) -> str:
    return Backend(FakeHypervisor(), "qemu").xml(name)


def test_the_nth_call_fails_and_has_no_effect(fake_hypervisor: FakeHypervisor) -> None:
    fake_hypervisor.faults.at("define", refuse(), call=2)
    fake_hypervisor.define(xml("lab.a"))
    with pytest.raises(HypervisorError, match="refused on purpose"):
        fake_hypervisor.define(xml("lab.b"))
    fake_hypervisor.define(xml("lab.c"))
    assert names(fake_hypervisor) == ["lab.a", "lab.c"]
    assert fake_hypervisor.faults.calls["define"] == 3


def test_an_answer_is_lost_after_the_deed(fake_hypervisor: FakeHypervisor) -> None:
    fake_hypervisor.faults.at("define", die(KeyboardInterrupt()), after=True)
    with pytest.raises(KeyboardInterrupt):
        fake_hypervisor.define(xml("lab.a"))
    assert names(fake_hypervisor) == ["lab.a"]


def test_a_frozen_call_does_not_hold_up_others(fake_hypervisor: FakeHypervisor) -> None:
    thaw = threading.Event()
    fake_hypervisor.faults.at("start", freeze(thaw), call=1)
    for name in ("lab.a", "lab.b"):
        fake_hypervisor.define(xml(name))
    with ThreadPoolExecutor() as pool:
        frozen = pool.submit(fake_hypervisor.start, "lab.a")
        while not fake_hypervisor.faults.calls["start"]:
            pass
        fake_hypervisor.start("lab.b")
        states = {domain.name: domain.state for domain in fake_hypervisor.domains()}
        thaw.set()
        frozen.result()
    assert states == {"lab.a": DomainState.SHUT_OFF, "lab.b": DomainState.RUNNING}


def test_a_guest_boots_when_its_cpus_run(fake_hypervisor: FakeHypervisor, tmp_path: Path) -> None:
    log = tmp_path / "console.log"
    serial = f"<serial type='pty'><log file='{log}'/></serial>"
    fake_hypervisor.on_start = writes_console_log("first", "second")
    fake_hypervisor.define(xml("lab.a").replace("<serial type='pty'/>", serial))
    fake_hypervisor.start("lab.a", paused=True)
    assert not log.exists()
    fake_hypervisor.resume("lab.a")
    assert log.read_bytes() == b"first\r\nsecond\r\n"


def test_a_guest_answers_commands_while_it_runs(fake_hypervisor: FakeHypervisor) -> None:
    fake_hypervisor.define(xml("lab.a"))
    fake_hypervisor.guest = lambda domain, argv: CommandResult(3, f"{domain} {argv}", "")
    assert not fake_hypervisor.agent_ready("lab.a")
    with pytest.raises(HypervisorError, match=r"no guest agent in lab\.a"):
        fake_hypervisor.run_in_guest("lab.a", ("true",), deadline=1)
    fake_hypervisor.start("lab.a")
    assert fake_hypervisor.agent_ready("lab.a")
    result = fake_hypervisor.run_in_guest("lab.a", ("cat",), deadline=1)
    assert result == CommandResult(3, "lab.a ('cat',)", "")


def test_a_console_is_fed_and_read(fake_hypervisor: FakeHypervisor) -> None:
    fake_hypervisor.define(xml("lab.a"))
    fake_hypervisor.start("lab.a")
    console = fake_hypervisor.open_console("lab.a")
    with pytest.raises(HypervisorError, match="somebody else is attached"):
        fake_hypervisor.open_console("lab.a")
    assert isinstance(console, FakeConsole)
    console.feed(b"login: ")
    assert console.read(0) == b"login: "
    assert console.read(0) == b""
    console.write(b"root\r")
    assert console.typed == b"root\r"
    fake_hypervisor.destroy("lab.a")
    with pytest.raises(EOFError):
        console.read(0)


def test_a_guest_may_ignore_the_power_button(fake_hypervisor: FakeHypervisor) -> None:
    for name in ("lab.a", "lab.b"):
        fake_hypervisor.define(xml(name))
        fake_hypervisor.start(name)
    fake_hypervisor.deaf.add("lab.a")
    for name in ("lab.a", "lab.b"):
        fake_hypervisor.shutdown(name)
    states = [domain.state for domain in fake_hypervisor.domains()]
    assert states == [DomainState.RUNNING, DomainState.SHUT_OFF]


def test_a_thousand_domains(fake_hypervisor: FakeHypervisor) -> None:
    for number in range(1000):
        fake_hypervisor.define(xml(f"lab.node-{number}"))
    assert len(fake_hypervisor.domains()) == 1000
