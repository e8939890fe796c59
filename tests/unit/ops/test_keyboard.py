"""The keyboard: paced, secrets put in where they are typed, consoles of others waited for."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from harness.backends import Backend
from harness.fake import FakeHypervisor
from harness.fake_console import FakeConsole
from harness.site import Site
from labctl.console.events import Send
from labctl.errors import ConsoleBusy, Interrupted
from labctl.ops import keyboard
from labctl.ops.events import Notice
from labctl.ops.keyboard import Keyboard
from labctl.report.error import error_lines
from labctl.report.paint import Paint

NAME = "contract.leaf-1"


@pytest.fixture
def fake(site: Site) -> FakeHypervisor:
    site.fake.define(Backend(site.fake, "qemu").xml(NAME))
    site.fake.start(NAME)
    return site.fake


@pytest.fixture
def keys(site: Site, fake: FakeHypervisor) -> Iterator[Keyboard]:
    with Keyboard(site.context, fake, NAME, {"door": "Sesame-1"}) as opened:
        yield opened


def console(fake: FakeHypervisor) -> FakeConsole:
    return fake.consoles[NAME]


def test_nothing_is_attached_before_there_is_something_to_type(
    keys: Keyboard, fake: FakeHypervisor
) -> None:
    keys.drop_output()
    assert NAME not in fake.consoles
    keys.send(Send("show version"))
    assert bytes(console(fake).typed) == b"show version\r"


def test_secrets_are_put_in_as_they_are_typed(keys: Keyboard, fake: FakeHypervisor) -> None:
    keys.send(Send("x", secret="door", enter=False))
    assert bytes(console(fake).typed) == b"xSesame-1"


def test_long_lines_come_whole(keys: Keyboard, fake: FakeHypervisor) -> None:
    keys.send(Send("y" * 1000))
    assert bytes(console(fake).typed) == b"y" * 1000 + b"\r"


def test_output_is_read_or_dropped(keys: Keyboard, fake: FakeHypervisor) -> None:
    keys.attach()
    console(fake).feed(b"old")
    keys.drop_output()
    console(fake).feed(b"new")
    assert keys.read(1.0) == b"new"


def test_a_machine_that_ended_takes_no_more(keys: Keyboard, fake: FakeHypervisor) -> None:
    keys.attach()
    console(fake).close()
    keys.send(Send("exit"))
    with pytest.raises(EOFError):
        keys.read(0.1)


def test_leaving_lets_go(site: Site, fake: FakeHypervisor) -> None:
    with Keyboard(site.context, fake, NAME, {}) as opened:
        opened.attach()
        assert not console(fake).closed
    assert console(fake).closed


class Busy(FakeHypervisor):
    """A console that somebody holds for the first `refusals` times it is asked for."""

    refusals = 0

    def open_console(self, name: str, *, force: bool = False) -> FakeConsole:
        if self.refusals:
            self.refusals -= 1
            raise ConsoleBusy(f"somebody else is attached to the console of {name}")
        return FakeConsole()


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keyboard, "_RETRY_SECONDS", 0.01)
    monkeypatch.setattr(keyboard, "ATTACH_SECONDS", 0.2)


@pytest.mark.usefixtures("hasty")
def test_a_console_of_somebody_else_is_waited_for(site: Site) -> None:
    busy = Busy()
    busy.refusals = 3
    with Keyboard(site.context, busy, NAME, {}) as opened:
        opened.send(Send("end"))
    assert busy.refusals == 0
    (told,) = site.events
    assert isinstance(told, Notice)
    assert "leave it" in told.text


@pytest.mark.usefixtures("hasty")
def test_but_not_for_ever(site: Site) -> None:
    busy = Busy()
    busy.refusals = 10_000
    with (
        Keyboard(site.context, busy, NAME, {}) as opened,
        pytest.raises(ConsoleBusy) as caught,
    ):
        opened.attach()
    assert "leave it" in caught.value.resolution
    shown = "\n".join(error_lines(caught.value, Paint()))
    assert shown.count("console of") == 1


def test_nor_after_an_interrupt(site: Site) -> None:
    busy = Busy()
    busy.refusals = 10_000
    context = site.context
    threading.Timer(0.1, context.interrupt.set).start()
    with Keyboard(context, busy, NAME, {}) as opened, pytest.raises(Interrupted):
        opened.attach()
