"""What the checks judge by: outputs of commands, however they were come by."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from labctl.devices.reading import TextOf

_RUN = re.compile(r"[^A-Za-z0-9]+")
_WRAPPED = re.compile(r"^(?:sudo_)?vtysh_c_")


def slug(command: str) -> str:
    """How a command is written in a file name: runs of other characters become one `_`.

    A vtysh around the command and `_` at either end don't count.
    """
    return _WRAPPED.sub("", _RUN.sub("_", command).strip("_"))


@dataclass(frozen=True, slots=True)
class Evidence:
    """Outputs by node and command slug; `unreachable` nodes with the reason; remarks.

    `unplugged` are the ends of links (NODE:INTERFACE) whose cable is pulled, as the hypervisor has
    it; None where nobody asked one. `held` are nodes that could not be asked because somebody is
    at work on them, with what to do: nothing is known of them, and nothing is wrong with them.
    `saved`: the outputs were read from files.
    """

    outputs: Mapping[tuple[str, str], str] = field(default_factory=dict)
    unreachable: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    unplugged: frozenset[str] | None = None
    held: Mapping[str, str] = field(default_factory=dict)
    saved: bool = False

    @classmethod
    def of(
        cls,
        outputs: Mapping[tuple[str, str], str],
        unreachable: Mapping[str, str] | None = None,
        notes: Iterable[str] = (),
    ) -> Evidence:
        """From outputs keyed by (node, command as typed)."""
        slugged = {(node, slug(command)): text for (node, command), text in outputs.items()}
        return cls(slugged, dict(unreachable or {}), tuple(notes))

    def text_of(self, node: str) -> TextOf:
        """The outputs of one node, by command."""
        return lambda command: self.outputs.get((node, slug(command)))
