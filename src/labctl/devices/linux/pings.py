"""All pings of a host from one leg by a single fping, where the guest has it.

Each ping command is still a command with an output of its own: fping's lines about its target.
Under TCG a ping takes 50 to 80 ms of CPU to start and to end, an fping for any number of targets
little more.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from labctl.devices.agent import Program

_PING = re.compile(r"ping -c 1 -w (\d+)(?: -I (\S+))? (\d+\.\d+\.\d+\.\d+)")
"""One answer within so many seconds, from a device or VRF: the form verify writes."""
_FPING = ("fping", "-B", "1", "-t", "1000")
"""A request a second to each target until it answers, as iputils' ping does under -w."""


def programs(commands: Sequence[str]) -> tuple[Program, ...]:
    """An fping for each leg; without the commands that are no pings of verify's form."""
    legs: dict[tuple[str, str], list[str]] = {}
    for command in commands:
        if match := _PING.fullmatch(command):
            legs.setdefault((match[1], match[2] or ""), []).append(command)
    return tuple(
        Program(
            (*_FPING, "-r", str(int(seconds) - 1), *_source(device), *map(_target, pings)),
            tuple(pings),
        )
        for (seconds, device), pings in legs.items()
    )


def _source(device: str) -> tuple[str, ...]:
    return ("-I", device) if device else ()


def _target(command: str) -> str:
    return command.rpartition(" ")[2]


def is_fping(program: Program) -> bool:
    """Whether it is one of these."""
    return program.argv[: len(_FPING)] == _FPING


def outputs(program: Program, text: str) -> Mapping[str, str]:
    """What fping says of each target: its verdict, and errors met on the way there."""
    lines = text.splitlines()
    found = {
        command: [line for line in lines if _target(command) in (_subject(line), _target(line))]
        for command in program.commands
    }
    return {
        command: "".join(f"{line}\n" for line in about)
        for command, about in found.items()
        if any(" is " in line for line in about)
    }


def _subject(line: str) -> str:
    return re.split("[ :]", line, maxsplit=1)[0]
