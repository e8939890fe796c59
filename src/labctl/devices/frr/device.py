"""FRR on Linux: vtysh is its command line, and what labctl asks of it goes to its daemons.

Shapes and behaviour below were tested on FRR 8.4.4 (Debian 12).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from labctl.devices.agent import Program, Said
from labctl.devices.api import Keep
from labctl.devices.frr import daemons
from labctl.devices.frr.advice import ADVICE
from labctl.devices.linux.device import MEMORY_COMMAND, Linux
from labctl.devices.reading import NodeReading, TextOf
from labctl.model.intent import NodeIntent
from labctl.model.lab import Routing

OSPF_NEIGHBORS = "show ip ospf neighbor json"
IPV4_SUMMARY = "show bgp ipv4 unicast summary json"
EVPN_SUMMARY = "show bgp l2vpn evpn summary json"
EVPN_VNIS = "show evpn vni json"
BGP_VNIS = "show bgp l2vpn evpn vni json"
TYPE3_ROUTES = "show bgp l2vpn evpn route type multicast json"
TYPE2_ROUTES = "show bgp l2vpn evpn route type macip json"
TYPE5_ROUTES = "show bgp l2vpn evpn route type prefix json"
ROUTER_MACS = "show evpn rmac vni all json"
TENANT_VNIS = "show vrf vni json"
VXLAN_DEVICES = "ip -json -details link show type vxlan"

_SHOW = "show "
_CONFIG_NOISE = re.compile(r"Building configuration\.\.\.|Current configuration:|end")
_HOSTNAME = re.compile(r"[A-Za-z0-9._-]*\Z")


def vrf_routes(vrf: str) -> str:
    """The command that shows a VRF's IPv4 table."""
    return f"show ip route vrf {vrf} json"


class Frr:
    """One command goes to vtysh; those to verify are its `show` commands and programs."""

    config_command = "show running-config"
    keep: Keep | None = Keep("write memory", "[OK]", 60.0)
    advice = ADVICE

    def argv(self, command: str) -> tuple[str, ...]:
        return ("vtysh", "-c", command)

    def verify_commands(self, node: NodeIntent, routing: Routing) -> tuple[str, ...]:
        underlay = OSPF_NEIGHBORS if routing is Routing.OSPF else IPV4_SUMMARY
        commands = [MEMORY_COMMAND, underlay, EVPN_SUMMARY]
        if node.node.role.is_vtep:
            commands += [VXLAN_DEVICES, EVPN_VNIS, BGP_VNIS]
            commands += [TYPE3_ROUTES, TYPE2_ROUTES, TYPE5_ROUTES]
            commands += [ROUTER_MACS, TENANT_VNIS]
            commands += [vrf_routes(l3.vrf.name) for l3 in node.l3vnis]
        return tuple(commands)

    def follow_up(self, command: str, output: str) -> str:
        del command, output
        return ""

    def read(self, node: NodeIntent, text_of: TextOf) -> NodeReading:
        from labctl.devices.frr.read import read_node  # it imports the commands above

        return read_node(text_of, node.vnis, [l3.vrf.name for l3 in node.l3vnis])

    def clean_config(self, text: str) -> str:
        """Without vtysh's frame lines, so that the result can be fed back as frr.conf."""
        lines = (line.rstrip() for line in text.replace("\r", "").splitlines())
        kept = [line for line in lines if line and not _CONFIG_NOISE.fullmatch(line)]
        while kept and kept[0] == "!":
            del kept[0]
        return "".join(f"{line}\n" for line in kept)

    def programs(self, commands: Sequence[str], *, plain: bool) -> tuple[Program, ...]:
        """Each command for itself, but `show` commands to their daemons.

        Plain, all go to a single vtysh: starting it costs more than any command of ours, so it
        starts once, with -E to print prompt and command before each output.
        """
        shows = tuple(command for command in commands if command.startswith(_SHOW))
        others = [command for command in commands if command not in shows]
        asked = Linux().programs(others, plain=plain)
        direct = () if plain else daemons.programs(shows)
        for program in direct:
            shows = tuple(show for show in shows if show not in program.commands)
        return (*asked, *direct, *_vtysh(shows))

    def outputs(self, program: Program, said: Said) -> Mapping[str, str]:
        """vtysh ends at the first command that fails, so the ones after it are missing.

        After one that hangs there is no use in trying the others.
        """
        if daemons.is_direct(program):
            return daemons.outputs(program, said)
        if program.argv[:2] != ("vtysh", "-E"):
            return Linux().outputs(program, said)
        shown = _split_echo(program.commands, said.text)
        if not said.killed:
            return shown
        answered = list(shown)[:-1]
        return {
            show: shown.get(show, "") if show in answered else daemons.no_answer()
            for show in program.commands
        }


def _vtysh(shows: Sequence[str]) -> tuple[Program, ...]:
    words = [word for show in shows for word in ("-c", show)]
    return (Program(("vtysh", "-E", *words), tuple(shows)),) if shows else ()


def _split_echo(shows: Sequence[str], text: str) -> dict[str, str]:
    """Cut vtysh -E's output at its `HOSTNAME# COMMAND` lines.

    The prompt may follow an output that ends without a newline, so it is found by the command,
    and the host name before it is cut off. No prompt at all means that vtysh did not get as far
    as the first command; what it said then holds for all of them.
    """
    echoes = [f"# {show}\n" for show in shows]
    if not shows or echoes[0] not in text:
        return dict.fromkeys(shows, text)
    outputs = {}
    _, _, rest = text.partition(echoes[0])
    for show, next_echo in zip(shows, [*echoes[1:], None], strict=True):
        if next_echo is None or next_echo not in rest:
            outputs[show] = rest
            break
        output, _, rest = rest.partition(next_echo)
        outputs[show] = _HOSTNAME.sub("", output)
    return outputs
