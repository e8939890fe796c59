"""Plain Linux guests: the lab's end hosts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from labctl.devices.api import Batch
from labctl.devices.framing import shell_batch, split_sections
from labctl.model.intent import NodeIntent
from labctl.model.lab import Routing

MEMORY_COMMAND = "cat /proc/meminfo"


class Linux:
    """Commands are shell lines; a host has no configuration besides its day-0."""

    config_command = ""

    def argv(self, command: str) -> tuple[str, ...]:
        return ("bash", "-c", command)

    def verify_commands(self, node: NodeIntent, routing: Routing) -> tuple[str, ...]:
        del node, routing  # hosts are told apart by their pings alone
        return (MEMORY_COMMAND,)

    def clean_config(self, text: str) -> str:
        return text

    def batch(self, commands: Sequence[str]) -> Batch:
        return shell_batch(commands)

    def unbatch(self, commands: Sequence[str], output: str) -> Mapping[str, str]:
        sections = split_sections(commands, output)
        return {command: section.text for command, section in sections.items()}
