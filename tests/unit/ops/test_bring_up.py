"""`up` against a hypervisor in memory: what fails is named, and the rest comes up."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from harness.faults import refuse
from harness.site import BAD_DAY0, HUNG, LAB, PANIC, Site, pair
from labctl.cli.main import main
from labctl.errors import (
    ConnectionLost,
    ExitCode,
    HypervisorError,
    ImageError,
    PreflightRefused,
)
from labctl.hypervisor.api import DomainState
from labctl.ops.results import NodeOutcome, UpResult
from labctl.plan.model import ActionKind

ALL = ("a", "b", "c")


@pytest.fixture
def trio(site: Site) -> Site:
    site.write(pair(*ALL))
    return site


def outcome(result: UpResult, node: str) -> NodeOutcome:
    return next(outcome for outcome in result.outcomes if outcome.node == node)


def only_b_failed(result: UpResult) -> NodeOutcome:
    """The others came up; how b fared."""
    assert {o.node: o.error is None for o in result.outcomes} == {"a": True, "b": False, "c": True}
    return outcome(result, "b")


def test_a_lab_comes_up_whole(trio: Site) -> None:
    result = trio.up()
    assert [o.node for o in result.outcomes] == list(ALL)
    assert result.failed == ()
    trio.assert_whole(*ALL)
    trio.destroy()
    trio.assert_gone()


def test_a_start_that_fails_stops_no_other(trio: Site) -> None:
    trio.fake.faults.at("start", refuse("no room for pc.ram"), call=2)
    result = trio.up(max_parallel=1)
    assert "no room for pc.ram" in str(only_b_failed(result).error)
    assert trio.states[f"{LAB}.b"] is DomainState.SHUT_OFF
    again = trio.up()
    assert [(a.kind, a.node) for a in again.plan.actions] == [(ActionKind.START, "b")]
    trio.assert_whole(*ALL)


def test_a_definition_that_fails_leaves_no_half_node(trio: Site) -> None:
    trio.fake.faults.at("define", refuse("no such CPU"), call=1)
    result = trio.up()
    (failed,) = result.failed
    assert "no such CPU" in str(failed.error)
    assert f"{LAB}.{failed.node}" not in trio.domains
    assert not trio.home.lab(LAB).node(failed.node).folder.exists()
    assert len(trio.domains) == 2
    trio.up()
    trio.assert_whole(*ALL)


@pytest.mark.usefixtures("impatient")
def test_a_console_that_hangs_is_named_with_phase_and_last_lines(trio: Site) -> None:
    trio.guests.say["b"] = HUNG
    failed = only_b_failed(trio.up())
    assert (failed.action, failed.phase, failed.tail) == ("boot", "day0", HUNG)
    assert failed.error is not None
    assert f"labctl console {LAB} b" in failed.error.resolution
    assert failed.error.exit_code == ExitCode.DEADLINE
    assert "b hung in phase day0" in failed.error.brief


def test_a_silent_console_hangs_before_the_first_phase(trio: Site, impatient: None) -> None:
    trio.guests.say["b"] = ()
    failed = only_b_failed(trio.up())
    assert (failed.phase, failed.tail) == ("power-on", ())


def test_a_kernel_panic_is_named(trio: Site) -> None:
    trio.guests.say["b"] = PANIC
    failed = only_b_failed(trio.up())
    assert (failed.phase, failed.tail) == ("init", PANIC)
    assert "the guest's kernel stopped" in str(failed.error)
    assert failed.error is not None
    assert failed.error.exit_code != ExitCode.DEADLINE


def test_bad_day0_lines_fail_the_node(trio: Site) -> None:
    trio.guests.say["b"] = BAD_DAY0
    failed = only_b_failed(trio.up())
    assert "2 line(s) of its day-0 configuration failed" in str(failed.error)
    assert any("ip.batch:3" in line for line in failed.tail)
    # It stays failed until somebody mends it: the next run must not call the lab fine.
    assert [o.node for o in trio.up().failed] == ["b"]


def test_a_machine_that_stops_while_booting_is_named(trio: Site) -> None:
    trio.guests.say["b"] = HUNG
    booted = trio.guests

    def power_cut(domain: object) -> None:
        booted(domain)  # type: ignore[arg-type]
        if booted.started[-1] == "b":
            trio.fake.destroy(f"{LAB}.b")

    trio.fake.on_start = power_cut
    failed = only_b_failed(trio.up())
    assert "stopped while booting: its machine is shut off" in str(failed.error)


@pytest.mark.parametrize(
    ("said", "code"), [(HUNG, ExitCode.DEADLINE), (PANIC, ExitCode.NODES_FAILED)]
)
@pytest.mark.usefixtures("impatient")
def test_exit_codes_and_json(
    trio: Site,
    by_command_line: Site,
    capsys: pytest.CaptureFixture[str],
    said: tuple[str, ...],
    code: ExitCode,
) -> None:
    trio.guests.say["b"] = said
    assert main(["up", str(trio.file), "--no-verify", "--json"]) == code
    told = {o["node"]: o for o in json.loads(capsys.readouterr().out)["outcomes"]}
    assert told["b"]["tail"] == list(said)
    assert told["b"]["phase"] in {"init", "day0"}
    assert told["a"]["error"] is None


def test_a_text_report_names_node_phase_and_lines(
    trio: Site, by_command_line: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    trio.guests.say["b"] = PANIC
    assert main(["up", str(trio.file), "--no-verify"]) == ExitCode.NODES_FAILED
    out = capsys.readouterr().out
    assert PANIC[-1] in out
    assert "init" in out


def test_a_lost_connection_ends_the_run_and_the_next_converges(
    trio: Site, by_command_line: Site
) -> None:
    def lost() -> None:
        raise ConnectionLost("can't start domain: client socket is closed")

    trio.fake.faults.at("start", lost, call=2)
    assert main(["up", str(trio.file), "--no-verify"]) == ExitCode.HYPERVISOR
    trio.fake.faults.at("define_network", lost)
    trio.up()
    trio.assert_whole(*ALL)


def test_nothing_is_touched_before_preflight_has_passed(trio: Site) -> None:
    trio.fake.facts = replace(trio.fake.facts, memory_total=600, memory_free=500)
    with pytest.raises(PreflightRefused) as caught:
        trio.up()
    assert "memory" in caught.value.details
    assert_untouched(trio)


def test_a_missing_image_is_told_before_anything_is_touched(trio: Site) -> None:
    trio.write(pair(*ALL).replace("role: host}", "role: host, image: nowhere}", 1))
    with pytest.raises(ImageError, match="nowhere"):
        trio.up()
    assert_untouched(trio)


def test_a_domain_that_is_not_ours_is_refused_and_left_alone(trio: Site) -> None:
    foreign = f"<domain type='qemu'><name>{LAB}.b</name><memory unit='MiB'>64</memory></domain>"
    trio.fake.define(foreign)
    before = trio.fake.xml(f"{LAB}.b")
    trio.fake.faults.calls.clear()
    with pytest.raises(PreflightRefused, match=rf"{LAB}\.b"):
        trio.up()
    assert_untouched(trio)
    trio.destroy()
    assert trio.fake.xml(f"{LAB}.b") == before


def assert_untouched(site: Site) -> None:
    changing = {"define", "start", "define_network", "destroy", "undefine", "run_transient"}
    assert not changing & set(site.fake.faults.calls)
    assert site.files == []


def test_hypervisor_error_of_the_survey_changes_nothing(trio: Site) -> None:
    trio.fake.faults.at("domains", refuse("libvirt is tired"))
    with pytest.raises(HypervisorError, match="tired"):
        trio.up()
    assert_untouched(trio)
