"""What a console says, as events, and what labctl writes back. Shared by all that read consoles.

Offsets count bytes since the first one fed.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PhaseEntered:
    """The boot reached a phase; `offset` is where the line began that says so."""

    name: str
    offset: int


@dataclass(frozen=True, slots=True)
class PromptSeen:
    """The device waits for an answer.

    `offset` is where the prompt's text begins, `answer` the PromptRule's word for what to answer
    ("" for a prompt that is only noted), `text` the prompt itself.
    """

    kind: str
    offset: int
    answer: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class LineEnded:
    """A line came to its end; `text` is what a person reads of it, without the newline.

    `whole` is false for a line so long that it is given in pieces; the rest follows.
    """

    text: str
    offset: int
    whole: bool = True


@dataclass(frozen=True, slots=True)
class Fault:
    """What makes going on pointless. `rule` names it: a FaultRule, or what labctl counted."""

    rule: str
    line: str
    offset: int
    explanation: str = ""


@dataclass(frozen=True, slots=True)
class Ready:
    """The last phase was reached.

    `errors` is what the pattern's named group `errors` caught; without such a group, the number
    of faults since the first phase.
    """

    offset: int
    errors: int


@dataclass(frozen=True, slots=True)
class Send:
    """Bytes for whoever drives the console to write: text, then a secret, then Enter.

    `secret` is the name of a secret, never its value: the driver puts that in, so that no event,
    log or error can show it.
    """

    text: str = ""
    secret: str = ""
    enter: bool = True


ConsoleEvent = PhaseEntered | Fault | Ready
"""What labctl.console.watcher tells."""
DialogueEvent = PhaseEntered | PromptSeen | LineEnded | Fault | Ready
"""What labctl.console.dialogue tells."""
BootEvent = PhaseEntered | PromptSeen | Fault | Ready | Send
"""What a device's boot procedure tells and asks for."""
