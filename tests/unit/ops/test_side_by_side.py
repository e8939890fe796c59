"""Runs at the same time: one run for a lab, and labs that share no port."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from harness.site import LAB, Site, pair
from labctl.cli.main import main
from labctl.errors import ExitCode, Interrupted, LabLocked
from labctl.hypervisor.api import CommandResult
from labctl.ops.context import Context, Interrupt
from labctl.ops.destroy import destroy
from labctl.ops.events import Event, StepStarted
from labctl.ops.up import up
from labctl.report.paint import Paint
from labctl.report.progress import event_lines

TIMEOUT = 60.0


@pytest.fixture
def held(site: Site) -> Iterator[None]:
    """An `up` that stays in the middle of its first start as long as the test runs."""
    site.write(pair("a", "b"))
    begun, go_on = threading.Event(), threading.Event()

    def wait() -> None:
        begun.set()
        go_on.wait(TIMEOUT)

    site.fake.faults.at("start", wait)
    with ThreadPoolExecutor() as pool:
        run = pool.submit(site.up)
        assert begun.wait(TIMEOUT)
        yield
        go_on.set()
        assert run.result(TIMEOUT).failed == ()
    site.assert_whole("a", "b")


@pytest.mark.usefixtures("held")
def test_a_second_run_of_the_same_lab_is_turned_away(site: Site) -> None:
    with pytest.raises(LabLocked) as caught:
        site.up()
    assert "labctl up" in caught.value.details
    for other in (site.rebuild, site.destroy, site.down):
        with pytest.raises(LabLocked):
            other()


@pytest.mark.usefixtures("held")
def test_the_second_run_s_exit_code(by_command_line: Site) -> None:
    assert main(["up", str(by_command_line.file)]) == ExitCode.LOCKED


@pytest.mark.usefixtures("held")
def test_destroy_of_a_held_lab_announces_nothing(
    by_command_line: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["destroy", LAB, "--yes"]) == ExitCode.LOCKED
    assert "removes" not in capsys.readouterr().err
    assert by_command_line.states


@pytest.mark.usefixtures("held")
def test_another_lab_need_not_wait_for_a_boot(site: Site) -> None:
    other = site.file.with_name("other.yaml")
    other.write_text(pair("a", "b", lab="other"))
    assert up(site.context, str(other), verify=False).failed == ()
    destroy(site.context, "other")


def test_labs_brought_up_at_the_same_time_share_no_port(site: Site) -> None:
    labs = [f"lab-{number}" for number in range(6)]
    for lab in labs:
        site.file.with_name(f"{lab}.yaml").write_text(pair(*"abcd", lab=lab))
    with ThreadPoolExecutor() as pool:
        results = pool.map(
            lambda lab: up(site.context, str(site.file.with_name(f"{lab}.yaml")), verify=False),
            labs,
        )
        assert [result.failed for result in results] == [()] * len(labs)
    ports = [end.local[1] for domain in site.fake.domains() for end in domain.udp]
    assert len(ports) == len(set(ports)) == len(labs) * 6
    for domain in site.fake.domains():
        for end in domain.udp:
            assert end.remote[1] in ports


def test_an_interrupt_during_boot_says_what_is_done_and_what_is_left(site: Site) -> None:
    site.write(pair("a", "b", "c"))
    context = site.context
    site.guests.say["b"] = ("labctl-guest: phase init",)
    booted = site.guests

    def interrupting(domain: object) -> None:
        booted(domain)  # type: ignore[arg-type]
        if booted.started[-1] == "b":
            context.interrupt.set()

    site.fake.on_start = interrupting
    with pytest.raises(Interrupted) as caught:
        up(context, str(site.file), max_parallel=1)
    assert caught.value.details == "done: a\nleft: b, c"
    told = [line for event in site.events for line in event_lines(event, Paint(), verbose=False)]
    assert "b: left booting, in phase init" in told
    assert not [line for line in told if "failed" in line]
    site.fake.on_start = site.guests
    site.guests.say.clear()
    site.fake.destroy(f"{LAB}.b")
    site.up()
    site.assert_whole("a", "b", "c")


def test_an_interrupt_while_the_fabric_converges_is_no_verdict(site: Site) -> None:
    site.write(f"lab: {LAB}\nfabric: {{spines: 1, leaves: 1}}\n")
    site.fake.guest = knows_nothing
    interrupt = Interrupt()

    def when_verify_starts(event: Event) -> None:
        if event == StepStarted("verify"):
            interrupt.set()

    context = Context(site.home, None, site.connect, when_verify_starts, interrupt)
    with pytest.raises(Interrupted, match="while its fabric converged"):
        up(context, str(site.file))
    site.assert_whole("spine-1", "leaf-1")


def knows_nothing(_domain: str, argv: tuple[str, ...]) -> CommandResult:
    """A switch whose daemons run and have no neighbour, session or route."""
    shows = [word for word in argv if word.startswith("show ")]
    return CommandResult(0, "".join(f"node# {show}\n{{}}\n" for show in shows), "")
