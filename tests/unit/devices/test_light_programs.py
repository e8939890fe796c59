"""What verify asks of guests that have netcat and fping, and of those that lack them."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from harness.intents import fabric_of
from labctl.devices.agent import Program, Said, ask
from labctl.devices.facts import PingResult
from labctl.devices.frr import daemons
from labctl.devices.frr.device import (
    EVPN_SUMMARY,
    EVPN_VNIS,
    IPV4_SUMMARY,
    OSPF_NEIGHBORS,
    TENANT_VNIS,
    Frr,
    vrf_routes,
)
from labctl.devices.linux import parse
from labctl.devices.linux.device import MEMORY_COMMAND, Linux
from labctl.model.lab import Routing

PING = "ping -c 1 -w 3 {}"


def said_by(*replies: tuple[str, int]) -> str:
    """As a daemon sends them."""
    return "".join(f"{text}\0\0\0{chr(code)}" for text, code in replies)


def test_each_daemon_is_asked_once() -> None:
    shows = [EVPN_SUMMARY, EVPN_VNIS, OSPF_NEIGHBORS, IPV4_SUMMARY, TENANT_VNIS, vrf_routes("red")]
    assert {program.argv[-1]: program.commands for program in daemons.programs(shows)} == {
        "/run/frr/bgpd.vty": (EVPN_SUMMARY, IPV4_SUMMARY),
        "/run/frr/zebra.vty": (EVPN_VNIS, TENANT_VNIS, vrf_routes("red")),
        "/run/frr/ospfd.vty": (OSPF_NEIGHBORS,),
    }


@pytest.mark.parametrize("routing", Routing)
def test_no_command_of_verify_needs_vtysh(routing: Routing) -> None:
    intent = fabric_of()
    for name in ("spine-1", "leaf-1"):
        commands = Frr().verify_commands(intent.nodes[name], routing)
        programs = Frr().programs(commands, plain=False)
        assert sorted(c for program in programs for c in program.commands) == sorted(commands)
        assert not [program for program in programs if program.argv[0] == "vtysh"]


def test_a_command_nobody_is_known_for_goes_to_vtysh() -> None:
    programs = Frr().programs([EVPN_VNIS, "show version"], plain=False)
    assert [program.argv[0] for program in programs] == ["nc.openbsd", "vtysh"]


def test_answers_are_told_apart() -> None:
    (program,) = daemons.programs([EVPN_VNIS, TENANT_VNIS])
    text = said_by(('{"a": 1}\n', 0), ("", 0))
    assert Frr().outputs(program, Said(text)) == {EVPN_VNIS: '{"a": 1}\n', TENANT_VNIS: ""}


@pytest.mark.parametrize(
    "text",
    [
        "nc.openbsd: /run/frr/zebra.vty: Connection refused\n",
        "can't run nc.openbsd: no such file",
        said_by(("% Unknown command\n", 2)),
        '{"half": ',
        "",
    ],
    ids=["dead", "no netcat", "not understood", "cut off", "nothing"],
)
def test_what_is_no_whole_answer_is_left_to_vtysh(text: str) -> None:
    (program,) = daemons.programs([EVPN_VNIS])
    assert Frr().outputs(program, Said(text)) == {}


def test_a_daemon_that_hangs_is_not_asked_again() -> None:
    (program,) = daemons.programs([EVPN_VNIS, TENANT_VNIS, vrf_routes("red")])
    outputs = Frr().outputs(program, Said(said_by(("{}", 0)) + '{"ha', killed=True))
    assert outputs == {
        EVPN_VNIS: "{}",
        TENANT_VNIS: daemons.no_answer("zebra"),
        vrf_routes("red"): daemons.no_answer("zebra"),
    }


def test_vtysh_is_asked_what_a_daemon_did_not_answer() -> None:
    rounds: list[list[str]] = []

    def run(programs: Sequence[Program]) -> list[Said]:
        rounds.append([program.argv[0] for program in programs])
        light = Said(said_by(("{}", 0), ("no such VRF\n", 1)))
        plain = Said(f"leaf-1# {TENANT_VNIS}\n% no such VRF\n")
        return [plain if program.argv[0] == "vtysh" else light for program in programs]

    assert ask(Frr(), [EVPN_VNIS, TENANT_VNIS], run) == {
        EVPN_VNIS: "{}",
        TENANT_VNIS: "% no such VRF\n",
    }
    assert rounds == [["nc.openbsd"], ["vtysh"]]


def test_pings_of_a_leg_go_together() -> None:
    near = [PING.format("10.0.0.1"), PING.format("10.0.0.2")]
    far = PING.format("-I db 10.0.0.1")
    programs = Linux().programs([MEMORY_COMMAND, *near, far], plain=False)
    assert [(" ".join(program.argv), program.commands) for program in programs] == [
        ("fping -B 1 -t 1000 -r 2 10.0.0.1 10.0.0.2", tuple(near)),
        ("fping -B 1 -t 1000 -r 2 -I db 10.0.0.1", (far,)),
        (MEMORY_COMMAND, (MEMORY_COMMAND,)),
    ]
    plain = Linux().programs([MEMORY_COMMAND, *near, far], plain=True)
    assert [program.argv[0] for program in plain] == ["cat", "ping", "ping", "ping"]


@pytest.mark.parametrize(
    "command", ["ping -c 3 10.0.0.1", "ping -c 1 -w 3 db.example", "ping -c 1 -w 3 -M do 10.0.0.1"]
)
def test_another_ping_is_a_ping(command: str) -> None:
    (program,) = Linux().programs([command], plain=False)
    assert program.argv[0] == "ping"


def test_each_ping_has_the_lines_about_its_target() -> None:
    targets = ["10.0.0.1", "10.0.0.10", "10.0.0.2", "10.0.0.3", "10.0.0.4"]
    (program,) = Linux().programs([PING.format(target) for target in targets], plain=False)
    text = (  # fping 5.1
        "10.0.0.1 is alive\n10.0.0.10 is unreachable\n10.0.0.2 is unreachable\n"
        "10.0.0.3 is unreachable\n"
        "ICMP Host Unreachable from 10.0.0.1 for ICMP Echo sent to 10.0.0.10\n"
        "10.0.0.2: error while sending ping: Network is unreachable\n"
    )
    outputs = Linux().outputs(program, Said(text))
    assert {command.split()[-1]: parse.ping(said) for command, said in outputs.items()} == {
        "10.0.0.1": PingResult(None, 1),
        "10.0.0.10": PingResult(None, 0),
        "10.0.0.2": PingResult(0, 0),
        "10.0.0.3": PingResult(None, 0),
    }
    assert "sent to 10.0.0.10" in outputs[PING.format("10.0.0.10")]


def test_a_guest_without_fping_is_left_to_ping() -> None:
    (program,) = Linux().programs([PING.format("10.0.0.1")], plain=False)
    for text in ("can't run fping", "binding to specific interface: No such device\n", ""):
        assert Linux().outputs(program, Said(text)) == {}
