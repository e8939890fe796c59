"""What labctl asks of a device family: commands as data, reading, cleaning. All pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from labctl.devices.reading import NodeReading, TextOf
from labctl.model.intent import NodeIntent
from labctl.model.lab import Routing


@dataclass(frozen=True, slots=True)
class Keep:
    """How a device writes its running configuration where it outlives a stop.

    `proof` is what its output has when that went well; `deadline` is in seconds.
    """

    command: str
    proof: str
    deadline: float


@dataclass(frozen=True, slots=True)
class Advice:
    """What to do on a device about each kind of fault, in its own commands; "" where none applies.

    Each completes a sentence that begins with the node: "on leaf-1: ...". Those named `..._lacks`
    say what is amiss.
    """

    announce: str = ""
    announce_lacks: str = ""
    announce_look: str = ""
    reflect: str = ""
    reflect_lacks: str = ""
    unshut: str = ""
    activate: str = ""
    vni: str = ""
    vni_look: str = ""
    route_target: str = ""
    l3vni: str = ""
    router_mac: str = ""
    prefixes: str = ""
    gateway: str = ""
    forwarding: str = ""
    prefix_limit: str = ""
    boot: str = ""
    replication: str = ""
    tunnel: str = ""
    tcam: str = ""
    memory_lacks: str = ""
    """What too little memory brings about."""


class Device(Protocol):
    """A device family. Outputs are keyed by the command as given."""

    config_command: str
    """Prints the running configuration; "" where a device has none besides its day-0."""

    keep: Keep | None
    """None where a device has no configuration besides its day-0."""

    advice: Advice

    def verify_commands(self, node: NodeIntent, routing: Routing) -> tuple[str, ...]:
        """What to run on `node` for labctl.verify to judge all it was told."""
        ...

    def follow_up(self, command: str, output: str) -> str:
        """Another command that may tell what `output` fails to; "" where there is none."""
        ...

    def read(self, node: NodeIntent, text_of: TextOf) -> NodeReading:
        """What `node` says, from whichever outputs are at hand."""
        ...

    def clean_config(self, text: str) -> str:
        """The configuration in `text`, fit to be fed back."""
        ...
