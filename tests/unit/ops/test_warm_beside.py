"""Which nodes a kept state may give back beside nodes that lived on."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.guests import guests
from harness.intents import fabric_of, fabric_text
from harness.simulated import Simulation
from harness.site import Site
from labctl.hypervisor.api import CommandResult
from labctl.model.role import Role
from labctl.ops.results import UpResult
from labctl.ops.warm_pick import bound_by

SWITCHES = ("spine-1", "spine-2", "leaf-1", "leaf-2")
HOSTS = ("host-1", "host-2")
ROLES = {name: Role(name.partition("-")[0]) for name in (*SWITCHES, *HOSTS)}


@pytest.mark.parametrize(
    ("nodes", "living", "bound"),
    [
        (("leaf-1",), ("spine-1", "host-1"), ("leaf-1",)),
        (("leaf-1", "host-1"), ("spine-1",), ("leaf-1",)),
        (("host-1",), SWITCHES, ()),
        (SWITCHES, HOSTS, ()),
        (SWITCHES, (), ()),
    ],
)
def test_a_switch_is_bound_by_other_switches(
    nodes: tuple[str, ...], living: tuple[str, ...], bound: tuple[str, ...]
) -> None:
    assert bound_by(nodes, living, ROLES) == bound


@pytest.fixture
def fabric(site: Site) -> Site:
    """A fabric that was proved and kept, and runs."""
    site.fake.facts = replace(site.fake.facts, is_local=True)
    say = guests(Simulation(fabric_of()).evidence)

    def guest(domain: str, argv: tuple[str, ...]) -> CommandResult:
        return CommandResult(0, "", "") if argv[0] == "date" else say(domain, argv)

    site.fake.guest = guest
    site.write(fabric_text())
    (note,) = site.up(verify=True).notes
    assert note.startswith("kept for warm starts")
    return site


def warm_nodes(result: UpResult) -> tuple[str, ...]:
    assert result.verify is not None
    assert result.verify.healthy
    return result.warm.nodes if result.warm else ()


def test_a_switch_boots_beside_switches_that_lived_on(fabric: Site) -> None:
    result = fabric.rebuild(nodes=["leaf-1"], verify=True)
    assert warm_nodes(result) == ()
    assert result.notes[0] == ("leaf-1 boots cold: other switches lived on, with newer sessions")


def test_a_host_is_restored_beside_them(fabric: Site) -> None:
    result = fabric.rebuild(nodes=["leaf-1", "leaf-2", "host-1"], verify=True)
    assert warm_nodes(result) == ("host-1",)
    assert result.notes[0].startswith("leaf-1, leaf-2 boot cold: ")


def test_all_switches_together_are_restored(fabric: Site) -> None:
    assert set(warm_nodes(fabric.rebuild(nodes=[*SWITCHES], verify=True))) == set(SWITCHES)


def test_switches_that_are_off_bind_nobody(fabric: Site) -> None:
    for name in SWITCHES[1:]:
        fabric.fake.destroy(f"simulated.{name}")
    result = fabric.rebuild(nodes=["spine-1", *HOSTS], verify=False)
    assert result.warm is not None
    assert result.warm.nodes == ("spine-1", *HOSTS)
