"""Plain Linux guests: the lab's end hosts."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence

from labctl.devices.agent import Program, Said
from labctl.devices.api import Advice, Keep
from labctl.devices.linux import parse
from labctl.devices.reading import NodeReading, TextOf, read
from labctl.model.intent import NodeIntent
from labctl.model.lab import Routing

MEMORY_COMMAND = "cat /proc/meminfo"


class Linux:
    """Commands are shell lines; a host has no configuration besides its day-0."""

    config_command = ""
    keep: Keep | None = None
    advice = Advice()
    """A host has no part in the fabric's own faults."""

    def argv(self, command: str) -> tuple[str, ...]:
        return ("bash", "-c", command)

    def verify_commands(self, node: NodeIntent, routing: Routing) -> tuple[str, ...]:
        del node, routing  # hosts are told apart by their pings alone
        return (MEMORY_COMMAND,)

    def follow_up(self, command: str, output: str) -> str:
        del command, output
        return ""

    def read(self, node: NodeIntent, text_of: TextOf) -> NodeReading:
        del node
        return NodeReading(memory=read(text_of, (MEMORY_COMMAND, parse.meminfo)))

    def clean_config(self, text: str) -> str:
        return text

    def programs(self, commands: Sequence[str]) -> tuple[Program, ...]:
        return tuple(Program(tuple(shlex.split(command)), (command,)) for command in commands)

    def outputs(self, program: Program, said: Said) -> Mapping[str, str]:
        return dict.fromkeys(program.commands, said.text)
