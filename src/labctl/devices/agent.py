"""Devices that speak through a guest agent: commands are processes in the guest. All pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from labctl.devices.api import Device


@dataclass(frozen=True, slots=True)
class Batch:
    """Several commands as one guest process (starting one is slow under TCG).

    `argv` is a constant of the device, never built from data; the commands go in through
    `input_text`.
    """

    argv: tuple[str, ...]
    input_text: str


class AgentDevice(Device, Protocol):
    """A device family with a guest agent."""

    def argv(self, command: str) -> tuple[str, ...]:
        """`command`, typed on the device's own command line, as a process in the guest."""
        ...

    def batch(self, commands: Sequence[str]) -> Batch:
        """All of `commands` in one process; each must be a single line."""
        ...

    def unbatch(self, commands: Sequence[str], output: str) -> Mapping[str, str]:
        """The output of each command that ran; those missing have not been run.

        At least the first of `commands` is there whenever the process ran at all, so that
        running the missing ones again ends.
        """
        ...


def ask(
    device: AgentDevice, commands: Sequence[str], run: Callable[[Batch], str]
) -> Mapping[str, str]:
    """The outputs of `commands`: as many batches as it takes until each has run or none runs."""
    outputs: dict[str, str] = {}
    left = tuple(commands)
    while left:
        answered = device.unbatch(left, run(device.batch(left)))
        if not answered:
            break
        outputs |= answered
        left = tuple(command for command in left if command not in outputs)
    return outputs
