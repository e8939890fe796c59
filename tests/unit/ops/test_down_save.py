"""`down --save`: what was configured outlives the stop, or the node isn't stopped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from harness.nexus_site import NexusSite
from harness.site import LAB, Site
from labctl.cli.main import main
from labctl.errors import ExitCode
from labctl.hypervisor.api import CommandResult, DomainState

FRR = f"lab: {LAB}\nfabric: {{spines: 1, leaves: 1, hosts_per_leaf: 1}}\n"
OK = "Note: this version of vtysh never writes vtysh.conf\nBuilding Configuration...\n[OK]\n"


def states(site: Site) -> dict[str, DomainState]:
    return {name.partition(".")[2]: state for name, state in site.states.items()}


def test_frr_writes_its_memory_before_it_is_stopped(site: Site) -> None:
    asked: list[tuple[str, tuple[str, ...]]] = []

    def guest(name: str, argv: Sequence[str]) -> CommandResult:
        asked.append((name, tuple(argv)))
        return CommandResult(0, OK, "")

    site.write(FRR)
    site.up()
    site.fake.guest = guest
    assert all(outcome.error is None for outcome in site.down(save=True).outcomes)
    write = ("vtysh", "-c", "write memory")
    assert sorted(asked) == [(f"{LAB}.leaf-1", write), (f"{LAB}.spine-1", write)]
    assert set(states(site).values()) == {DomainState.SHUT_OFF}
    assert all(outcome.error is None for outcome in site.down(save=True).outcomes)


def test_a_node_that_does_not_save_runs_on_and_is_named(site: Site) -> None:
    def guest(name: str, _argv: Sequence[str]) -> CommandResult:
        return CommandResult(0, OK if "spine" in name else "Can't open: No space left\n", "")

    site.write(FRR)
    site.up()
    site.fake.guest = guest
    result = site.down(save=True)
    (failed,) = [outcome for outcome in result.outcomes if outcome.error]
    assert failed.error is not None
    assert failed.error.brief == "leaf-1 did not save its configuration, so it was not stopped"
    assert "No space left" in failed.error.details
    assert states(site)["leaf-1"] is DomainState.RUNNING
    assert states(site)["spine-1"] is DomainState.SHUT_OFF


def test_a_nexus_saves_over_its_console(nexus_site: NexusSite) -> None:
    nexus_site.write_pair()
    nexus_site.up()
    nexus, _ = nexus_site.running[f"{LAB}.leaf-1"]
    nexus.habits = replace(nexus.habits, aborts=100)
    result = nexus_site.down(save=True)
    (failed,) = [outcome for outcome in result.outcomes if outcome.error]
    assert failed.node == "leaf-1"
    assert states(nexus_site) == {
        "spine-1": DomainState.SHUT_OFF,
        "leaf-1": DomainState.RUNNING,
    }
    nexus.habits = replace(nexus.habits, aborts=0)
    assert not any(outcome.error for outcome in nexus_site.down(save=True).outcomes)


def test_the_command(by_command_line: Site) -> None:
    by_command_line.write(FRR)
    by_command_line.up()
    by_command_line.fake.guest = lambda *_: CommandResult(1, "", "no daemon")
    assert main(["down", LAB, "--save"]) == ExitCode.NODES_FAILED
    assert main(["down", LAB]) == ExitCode.DONE
