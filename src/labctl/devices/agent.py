"""Devices that speak through a guest agent: commands are processes in the guest. All pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from labctl.devices.api import Device


@dataclass(frozen=True, slots=True)
class Program:
    """A process in the guest, and the commands whose outputs it prints."""

    argv: tuple[str, ...]
    commands: tuple[str, ...]


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

    def programs(self, commands: Sequence[str]) -> tuple[Program, ...]:
        """Processes to run side by side for `commands`; the fewer, the faster under TCG.

        No shell: a command is split into words, nothing in it is expanded.
        """
        ...

    def outputs(self, program: Program, said: Said) -> Mapping[str, str]:
        """The output of each of the program's commands that ran, at least of the first one."""
        ...


def ask(
    device: AgentDevice,
    commands: Sequence[str],
    run: Callable[[Sequence[tuple[str, ...]]], Sequence[Said]],
) -> Mapping[str, str]:
    """The outputs of `commands`: as many rounds as it takes until each has run."""
    outputs: dict[str, str] = {}
    left = tuple(commands)
    while left:
        programs = device.programs(left)
        for program, said in zip(programs, run([each.argv for each in programs]), strict=True):
            outputs |= device.outputs(program, said)
        left = tuple(command for command in left if command not in outputs)
    return outputs
