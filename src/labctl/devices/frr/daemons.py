"""FRR's daemons asked over their own sockets: netcat speaks as vtysh does, and starts at once.

vtysh installs the grammar of all daemons before it asks one: 0.3 s of CPU under TCG, six times
what a netcat takes. FRR's lib/vty.c (`vtysh_read`) has the protocol: commands end
with a zero byte; after each answer come three zero bytes and one with the parser's return code,
zero (CMD_SUCCESS) where the command was understood and done.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath

from labctl.devices.agent import Program, Said

_SILENT = re.compile(r"(\w+|a daemon) runs and does not answer\n")
_NETCAT = ("nc.openbsd", "-UN")
"""OpenBSD's, as Debian names it: busybox's knows no UNIX sockets, socat loads OpenSSL first.
-N ends what is sent after the commands, and the daemon hangs up when it has answered them."""
_DAEMONS = {
    "show bgp ": "bgpd",
    "show evpn ": "zebra",
    "show ip ospf ": "ospfd",
    "show ip route ": "zebra",
    "show vrf ": "zebra",
}
"""Who answers the commands of ours, by their first words."""
_REPLY = re.compile("(.*?)\0\0\0(.)", re.DOTALL)


def programs(shows: Sequence[str]) -> tuple[Program, ...]:
    """One netcat for each daemon; without the commands whose daemon is not known."""
    by_daemon: dict[str, list[str]] = {}
    for show in shows:
        for words, daemon in _DAEMONS.items():
            if show.startswith(words):
                by_daemon.setdefault(daemon, []).append(show)
    return tuple(
        Program((*_NETCAT, f"/run/frr/{daemon}.vty"), tuple(asked), _lines(asked))
        for daemon, asked in by_daemon.items()
    )


def _lines(shows: Sequence[str]) -> str:
    return "".join(f"{show}\0" for show in shows)


def is_direct(program: Program) -> bool:
    """Whether it is one of these."""
    return program.argv[:-1] == _NETCAT


def outputs(program: Program, said: Said) -> Mapping[str, str]:
    """The answers that came whole and without an error; vtysh has the words for the others.

    A daemon that hangs would keep vtysh waiting just as long.
    """
    replies = _REPLY.findall(said.text)
    found = {
        show: text
        for show, (text, code) in zip(program.commands, replies, strict=False)
        if code == "\0"
    }
    if said.killed:
        daemon = PurePosixPath(program.argv[-1]).stem
        found |= dict.fromkeys(program.commands[len(replies) :], no_answer(daemon))
    return found


def no_answer(daemon: str = "a daemon") -> str:
    """Stands for the output of a command that hung, and of those after it."""
    return f"{daemon} runs and does not answer\n"


def is_silent(text: str) -> bool:
    """Whether an output is no_answer's."""
    return _SILENT.fullmatch(text) is not None
