"""What labctl asks of a device family: commands as data, wrapping, cleaning. All pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from labctl.model.intent import NodeIntent
from labctl.model.lab import Routing


@dataclass(frozen=True, slots=True)
class Batch:
    """Several commands as one guest process (starting one is slow under TCG).

    `argv` is a constant of the device, never built from data; the commands go in through
    `input_text`.
    """

    argv: tuple[str, ...]
    input_text: str


class Device(Protocol):
    """A device family. Outputs are keyed by the command as given."""

    config_command: str
    """Prints the running configuration; "" where a device has none besides its day-0."""

    def argv(self, command: str) -> tuple[str, ...]:
        """`command`, typed on the device's own command line, as a process in the guest."""
        ...

    def verify_commands(self, node: NodeIntent, routing: Routing) -> tuple[str, ...]:
        """What to run on `node` for labctl.verify to judge all it was told."""
        ...

    def clean_config(self, text: str) -> str:
        """The configuration in `text`, without the frame the command puts around it."""
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
