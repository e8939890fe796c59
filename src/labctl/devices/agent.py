"""Devices that speak through a guest agent: commands are processes in the guest. All pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from labctl.devices.api import Device


@dataclass(frozen=True, slots=True)
class Program:
    """A process in the guest, what it reads, and the commands whose outputs it prints."""

    argv: tuple[str, ...]
    commands: tuple[str, ...]
    stdin: str = ""


@dataclass(frozen=True, slots=True)
class Said:
    """What a program printed; `killed`: it was ended, for it took too long."""

    text: str
    killed: bool = False


class AgentDevice(Device, Protocol):
    """A device family with a guest agent."""

    def argv(self, command: str) -> tuple[str, ...]:
        """`command`, typed on the device's own command line, as a process in the guest."""
        ...

    def programs(self, commands: Sequence[str], *, plain: bool) -> tuple[Program, ...]:
        """Processes to run side by side for `commands`; the lighter, the faster under TCG.

        `plain`: only what every such device has. No shell: a command is split into words, nothing
        in it is expanded.
        """
        ...

    def outputs(self, program: Program, said: Said) -> Mapping[str, str]:
        """The output of each of the program's commands that ran; of a plain one, of the first."""
        ...


def ask(
    device: AgentDevice,
    commands: Sequence[str],
    run: Callable[[Sequence[Program]], Sequence[Said]],
) -> Mapping[str, str]:
    """The outputs of `commands`: as many rounds as it takes until each has run.

    What the light programs of the first round do not answer is asked of plain ones.
    """
    outputs: dict[str, str] = {}
    left = tuple(commands)
    plain = False
    while left:
        programs = device.programs(left, plain=plain)
        for program, said in zip(programs, run(programs), strict=True):
            outputs |= device.outputs(program, said)
        left = tuple(command for command in left if command not in outputs)
        plain = True
    return outputs
