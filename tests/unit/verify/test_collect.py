"""Gathering evidence from nodes that answer, answer in part, or don't."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor

import pytest

from harness.guests import printed
from harness.intents import PLATFORMS, fabric_of
from harness.simulated import Simulation
from harness.simulated_nexus import NexusSimulation
from labctl.devices import agent
from labctl.devices.registry import agent_device_for
from labctl.errors import ConsoleBusy, ExitCode, HypervisorError
from labctl.verify.checks import checks
from labctl.verify.collect import HELD, collect, plan_commands
from labctl.verify.evidence import Evidence, slug
from labctl.verify.fabric import Fabric
from labctl.verify.model import CauseKind, Status


@pytest.fixture
def pool() -> Iterator[Executor]:
    with ThreadPoolExecutor(4) as executor:
        yield executor


class Guests:
    """Runs programs as a guest would, out of evidence; records the order nodes were asked in."""

    def __init__(self, evidence: Evidence, *, at_most: int = 1000) -> None:
        self._evidence = evidence
        self._at_most = at_most
        self.asked: list[str] = []

    def ask(self, node: str, commands: tuple[str, ...]) -> Mapping[str, str]:
        device = agent_device_for("linux" if node.startswith("host") else "frr")
        return agent.ask(device, commands, lambda programs: self._run(node, programs))

    def _run(self, node: str, programs: Sequence[agent.Program]) -> list[agent.Said]:
        self.asked.append(node)
        if node in self._evidence.unreachable:
            raise HypervisorError(self._evidence.unreachable[node])
        said = [
            printed(self._evidence, node, program.argv, at_most=self._at_most)
            for program in programs
        ]
        return [agent.Said(text) for text in said]


def test_what_is_collected_is_what_the_nodes_say(pool: Executor) -> None:
    healthy = Simulation(fabric_of())
    evidence = collect(healthy.intent, PLATFORMS, Guests(healthy.evidence()).ask, pool)
    assert checks(healthy.intent, evidence, PLATFORMS).healthy is True


def test_commands_left_over_are_asked_again(pool: Executor) -> None:
    healthy = Simulation(fabric_of())
    guests = Guests(healthy.evidence(), at_most=2)
    evidence = collect(healthy.intent, PLATFORMS, guests.ask, pool)
    assert checks(healthy.intent, evidence, PLATFORMS).healthy is True
    assert guests.asked.count("leaf-1") > 3


def test_leaves_are_asked_after_the_hosts_whose_pings_teach_them(pool: Executor) -> None:
    healthy = Simulation(fabric_of())
    guests = Guests(healthy.evidence())
    collect(healthy.intent, PLATFORMS, guests.ask, pool)
    assert {"host-1", "host-2"} <= set(guests.asked)
    kinds = [node[:4] for node in guests.asked]
    assert "host" not in kinds[kinds.index("leaf") :]


def test_a_node_that_does_not_answer_keeps_nobody_from_being_asked(pool: Executor) -> None:
    fault = Simulation(fabric_of(), unreachable={"leaf-2": "no agent"})
    evidence = collect(fault.intent, PLATFORMS, Guests(fault.evidence()).ask, pool)
    assert evidence.unreachable == {"leaf-2": "no agent"}
    causes = checks(fault.intent, evidence, PLATFORMS).causes
    assert [(cause.kind, cause.nodes) for cause in causes] == [(CauseKind.NODE_DOWN, ("leaf-2",))]


def test_a_console_somebody_holds_is_no_dead_node(pool: Executor) -> None:
    healthy = Simulation(fabric_of())
    guests = Guests(healthy.evidence())

    def ask(node: str, commands: tuple[str, ...]) -> Mapping[str, str]:
        if node == "leaf-2":
            raise ConsoleBusy("somebody else is attached to the console of lab.leaf-2")
        return guests.ask(node, commands)

    report = checks(healthy.intent, collect(healthy.intent, PLATFORMS, ask, pool), PLATFORMS)
    assert report.causes == ()
    assert report.healthy is None
    assert report.exit_code is ExitCode.DONE
    mine = [check for check in report.checks if check.node == "leaf-2"]
    assert {(check.status, check.seen) for check in mine} == {(Status.NOT_CHECKED, HELD)}


def test_a_guest_that_prints_nothing_of_use_ends_the_asking(pool: Executor) -> None:
    intent = fabric_of()

    def garbage(node: str, commands: tuple[str, ...]) -> Mapping[str, str]:
        said = agent.Said("garbage")
        return agent.ask(agent_device_for("frr"), commands, lambda argvs: [said] * len(argvs))

    evidence = collect(intent, PLATFORMS, garbage, pool)
    assert set(evidence.outputs.values()) == {"garbage"}
    assert checks(intent, evidence, PLATFORMS).count(Status.PASS) == len(intent.nodes)


def test_pings_reach_every_gateway_every_neighbour_and_other_networks() -> None:
    intent = fabric_of()
    pings = [
        c
        for c in plan_commands(Fabric(intent, Evidence(), PLATFORMS))["host-1"]
        if c.startswith("ping")
    ]
    assert pings == [
        "ping -c 1 -w 3 10.10.10.1",
        "ping -c 1 -w 3 -I db 10.10.20.1",
        "ping -c 1 -w 3 10.10.10.12",
        "ping -c 1 -w 3 -I db 10.10.20.12",
        "ping -c 1 -w 3 10.10.20.12",
        "ping -c 1 -w 3 -I db 10.10.10.12",
    ]


def test_a_switch_that_prints_no_json_is_asked_for_its_text(pool: Executor) -> None:
    intent = fabric_of(platform="nxosv9k")
    outputs = NexusSimulation(intent, text=True).evidence().outputs
    asked: dict[str, int] = {}

    def ask(node: str, commands: tuple[str, ...]) -> Mapping[str, str]:
        asked[node] = asked.get(node, 0) + 1
        refusal = "% Invalid command at '^' marker.\n"
        return {command: outputs.get((node, slug(command)), refusal) for command in commands}

    evidence = collect(intent, PLATFORMS, ask, pool)
    assert checks(intent, evidence, PLATFORMS).healthy is True
    assert asked == {name: 1 if name.startswith("host") else 2 for name in intent.nodes}
