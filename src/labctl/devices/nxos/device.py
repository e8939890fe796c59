"""Cisco's Nexus 9000v, spoken to on its console."""

from __future__ import annotations

from labctl.devices.api import Advice, Keep
from labctl.devices.nxos import clean, commands
from labctl.devices.nxos.advice import ADVICE
from labctl.devices.reading import NodeReading, TextOf
from labctl.model.intent import NodeIntent
from labctl.model.lab import Routing


class Nxos:
    """Commands are lines typed on the switch; it has no guest agent."""

    config_command = "show running-config"
    keep: Keep | None = Keep(commands.SAVE, commands.SAVED, 900.0)
    advice: Advice = ADVICE

    def verify_commands(self, node: NodeIntent, routing: Routing) -> tuple[str, ...]:
        return commands.for_node(node, routing)

    def follow_up(self, command: str, output: str) -> str:
        """The text of a command that prints no JSON: not each does so in each release."""
        structured = command.endswith(commands.JSON) and not output.lstrip().startswith("{")
        return command.removesuffix(commands.JSON) if structured else ""

    def read(self, node: NodeIntent, text_of: TextOf) -> NodeReading:
        from labctl.devices.nxos.read import read_node  # not needed to save or to ask

        return read_node(text_of, node)

    def clean_config(self, text: str) -> str:
        return clean.clean_config(text)
