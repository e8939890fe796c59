"""A changed file touches only what changed; down, up, rebuild and destroy keep their promises."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from harness.site import HUNG, LAB, Site, pair
from labctl.errors import Interrupted, UsageError
from labctl.hypervisor.api import DomainState
from labctl.ops.context import Context, Interrupt
from labctl.ops.destroy import destroy
from labctl.ops.events import Notice, StepDone
from labctl.ops.rebuild import rebuild
from labctl.ops.results import UpResult
from labctl.ops.up import up
from labctl.plan.model import ActionKind
from labctl.report.lifecycle import destroy_lines
from labctl.report.paint import Paint

ALL = ("a", "b", "c")
SHUFFLED = "".join(f"  - [{ends}]\n" for ends in ("b:eth1, a:eth2", "b:eth7, c:eth1"))


@pytest.fixture
def lab(site: Site) -> Site:
    """Three hosts in a row, up."""
    site.write(pair(*ALL))
    site.up()
    site.guests.started.clear()
    return site


def actions(result: UpResult) -> Mapping[str, ActionKind]:
    return {action.node: action.kind for action in result.plan.actions}


def test_a_second_up_does_nothing(lab: Site) -> None:
    lab.fake.faults.calls.clear()
    result = lab.up(verify=True)
    assert result.plan.empty
    assert result.outcomes == ()
    assert not {"define", "start", "define_network"} & set(lab.fake.faults.calls)


def test_changed_memory_restarts_that_node_alone(lab: Site) -> None:
    overlay = lab.home.lab(LAB).node("b").overlay
    disk = overlay.stat().st_ino, overlay.read_bytes()
    lab.write(pair(*ALL).replace("b: {role: host}", "b: {role: host, memory: 256 MiB}"))
    result = lab.up()
    assert actions(result) == {"b": ActionKind.RESTART}
    assert "memory 192 -> 256 MiB" in result.plan.actions[0].reason
    assert lab.guests.started == ["b"]
    assert lab.domains[f"{LAB}.b"].memory == 256
    assert (overlay.stat().st_ino, overlay.read_bytes()) == disk, "a restart keeps the disk"
    lab.assert_whole(*ALL)


def test_changed_day0_rebuilds_that_node_alone(site: Site) -> None:
    fabric = f"lab: {LAB}\nfabric: {{spines: 1, leaves: 2}}\n"
    site.write(fabric)
    site.up()
    site.guests.started.clear()
    overlay = site.home.lab(LAB).node("leaf-1").overlay
    disk, before = overlay.stat().st_ino, site.domains[f"{LAB}.leaf-1"]
    site.write(fabric + "nodes:\n  leaf-1: {config: ip prefix-list x permit any}\n")
    assert actions(site.up()) == {"leaf-1": ActionKind.REBUILD}
    assert site.guests.started == ["leaf-1"]
    assert overlay.stat().st_ino != disk
    after = site.domains[f"{LAB}.leaf-1"]
    assert (after.uuid, after.macs, after.udp) == (before.uuid, before.macs, before.udp)
    site.assert_whole("spine-1", "leaf-1", "leaf-2")


def test_a_changed_link_touches_its_ends_alone(lab: Site) -> None:
    before = lab.domains
    lab.write(pair(*ALL, links=SHUFFLED))
    result = lab.up()
    assert set(actions(result)) == {"b", "c"}
    assert sorted(lab.guests.started) == ["b", "c"]
    assert lab.domains[f"{LAB}.a"] == before[f"{LAB}.a"]
    lab.assert_whole(*ALL)


def test_an_added_node_touches_its_neighbour_alone(lab: Site) -> None:
    lab.write(pair(*ALL, "d"))
    assert set(actions(lab.up())) == {"c", "d"}
    assert sorted(lab.guests.started) == ["c", "d"]
    lab.assert_whole(*ALL, "d")


def test_a_removed_node_goes_with_its_files(lab: Site) -> None:
    lab.write(pair("a", "b"))
    kinds = actions(lab.up())
    assert kinds["c"] is ActionKind.REMOVE
    assert "a" not in kinds
    assert not lab.home.lab(LAB).node("c").folder.exists()
    lab.assert_whole("a", "b")


def test_up_of_one_node_leaves_the_others(lab: Site) -> None:
    lab.down()
    result = lab.up(nodes=["b"])
    assert actions(result) == {"b": ActionKind.START}
    assert lab.states[f"{LAB}.a"] is DomainState.SHUT_OFF
    assert [(a.node, a.reason) for a in result.plan.left_out] == [
        ("a", "is shut off"),
        ("c", "is shut off"),
    ]
    assert result.unready == ("a", "c")


def test_a_fabric_with_nodes_left_off_is_not_verified(lab: Site) -> None:
    lab.down(nodes=["b", "c"])
    assert lab.up(nodes=["b"], verify=True).verify is None
    told = [event.text for event in lab.events if isinstance(event, Notice)]
    assert "not verified" in told[-1]


def test_only_the_nodes_asked_for_are_waited_for(site: Site) -> None:
    site.write(pair(*ALL))
    site.guests.say |= {"b": HUNG, "c": HUNG}
    site.up(wait=False)
    result = site.up(nodes=["a"])
    assert (result.outcomes, result.unready) == ((), ("b", "c"))


def test_one_left_out_is_not_called_up_whatever_else_is_wrong_with_it(lab: Site) -> None:
    lab.down(nodes=["b"])
    lab.write(pair(*ALL).replace("b: {role: host}", "b: {role: host, memory: 256 MiB}"))
    assert lab.up(nodes=["a"]).unready == ("b",)


@pytest.mark.parametrize("lost", ["overlay", "day0"])
def test_a_half_made_node_is_made_anew(lab: Site, lost: str) -> None:
    getattr(lab.home.lab(LAB).node("b"), lost).unlink()
    assert actions(lab.up()) == {"b": ActionKind.REBUILD}
    lab.assert_whole(*ALL)


def test_files_without_a_definition_are_made_anew(lab: Site) -> None:
    lab.fake.destroy(f"{LAB}.b")
    lab.fake.undefine(f"{LAB}.b")
    assert actions(lab.up()) == {"b": ActionKind.CREATE}
    lab.assert_whole(*ALL)


def test_a_lost_network_is_made_again(lab: Site) -> None:
    lab.fake.remove_network(f"labctl-{LAB}")
    assert actions(lab.up()) == {"": ActionKind.CREATE_NETWORK}
    lab.assert_whole(*ALL)


def test_rebuild_makes_all_anew_as_they_were(lab: Site) -> None:
    before = {name: (d.uuid, d.macs, d.udp) for name, d in lab.domains.items()}
    assert set(actions(lab.rebuild()).values()) == {ActionKind.REBUILD}
    assert sorted(lab.guests.started) == list(ALL)
    assert {name: (d.uuid, d.macs, d.udp) for name, d in lab.domains.items()} == before
    lab.assert_whole(*ALL)


def test_rebuild_of_one_node(lab: Site) -> None:
    assert actions(lab.rebuild(nodes=["b"])) == {"b": ActionKind.REBUILD}
    assert lab.guests.started == ["b"]


@pytest.mark.usefixtures("impatient")
def test_down_and_up_keep_the_disks(lab: Site) -> None:
    lab.fake.deaf.add(f"{LAB}.b")

    def disks() -> dict[str, tuple[int, int, int]]:
        found = {node: lab.home.lab(LAB).node(node).overlay.stat() for node in ALL}
        return {node: (s.st_ino, s.st_mtime_ns, s.st_size) for node, s in found.items()}

    before = disks()
    assert lab.down().failed == ()
    assert set(lab.states.values()) == {DomainState.SHUT_OFF}
    assert set(actions(lab.up()).values()) == {ActionKind.START}
    assert disks() == before
    lab.assert_whole(*ALL)


def test_destroy_of_no_lab_is_no_error(site: Site) -> None:
    assert site.destroy().removed.empty
    site.assert_gone()


def test_destroy_of_no_lab_names_the_others(lab: Site) -> None:
    result = destroy(lab.context, "piar")
    assert (result.removed.empty, result.others) == (True, (LAB,))
    assert destroy_lines(result, Paint())[0].endswith("did you mean pair? (labs here: pair)")


def test_down_of_no_lab_is_told(site: Site) -> None:
    with pytest.raises(UsageError, match="no lab 'pair' is up"):
        site.down()


def test_destroy_needs_no_topology_file(lab: Site) -> None:
    lab.file.unlink()
    lab.home.lab(LAB).topology.unlink()
    lab.destroy()
    lab.assert_gone()


def test_paused_machines_run_on_with_the_next_up(site: Site) -> None:
    site.write(pair("a", "b"))
    site.up(paused=True)
    assert set(site.states.values()) == {DomainState.PAUSED}
    steps = {event.step for event in site.events if isinstance(event, StepDone)}
    assert steps == {"preflight", "prepare", "start"}
    assert actions(site.up(paused=True)) == {}
    assert set(actions(site.up()).values()) == {ActionKind.RESUME}
    site.assert_whole("a", "b")


@pytest.mark.parametrize(
    ("command", "run", "again"),
    [("up", up, "up pair"), ("rebuild", rebuild, "rebuild pair --node a --node b")],
)
def test_an_interrupted_run_is_named_as_it_was_called(
    lab: Site, command: str, run: Callable[..., UpResult], again: str
) -> None:
    lab.down()
    interrupt = Interrupt()
    interrupt.set()
    context = Context(lab.home, None, lab.connect, interrupt=interrupt)
    with pytest.raises(Interrupted, match=f"^{command} of pair was interrupted") as caught:
        run(context, str(lab.file), nodes=["a", "b"])
    assert f"`labctl {again}` takes it on" in caught.value.resolution
