"""Plain Linux guests: the lab's end hosts."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence

from labctl.devices.agent import Program, Said
from labctl.devices.api import Advice, Keep
from labctl.devices.linux import parse, pings
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

    def programs(self, commands: Sequence[str], *, plain: bool) -> tuple[Program, ...]:
        together = () if plain else pings.programs(commands)
        taken = {command for program in together for command in program.commands}
        alone = [command for command in commands if command not in taken]
        return (
            *together,
            *(Program(tuple(shlex.split(command)), (command,)) for command in alone),
        )

    def outputs(self, program: Program, said: Said) -> Mapping[str, str]:
        if pings.is_fping(program):
            return pings.outputs(program, said.text)
        return dict.fromkeys(program.commands, said.text)
