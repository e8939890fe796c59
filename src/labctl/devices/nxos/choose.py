"""Which of the outputs at hand to read for what."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from labctl.devices.facts import ParseError
from labctl.devices.nxos.commands import JSON
from labctl.devices.reading import TextOf, Unknown, read

T = TypeVar("T")
U = TypeVar("U")
_STRUCTURED = (JSON, f"{JSON} native", f"{JSON}-pretty")


def either(text_of: TextOf, parse: Callable[[str], T], *names: str) -> T | Unknown:
    """The first output of these commands that can be read: with `| json` behind, then without.

    `parse` takes either shape, whatever the file was called. An output that is empty counts only
    where no other says anything: it may be an empty table, or a command that was cut short.
    """
    asked = [*(f"{name}{tail}" for name in names for tail in _STRUCTURED), *names]
    return read(
        text_of,
        *((command, _not_empty(parse)) for command in asked),
        *((command, parse) for command in asked),
    )


def _not_empty(parse: Callable[[str], T]) -> Callable[[str], T]:
    def inner(text: str) -> T:
        if not text.strip():
            raise ParseError("empty")
        return parse(text)

    return inner


def changed(part: T | Unknown, make: Callable[[T], U]) -> U | Unknown:
    """What is made of a part that is known."""
    return part if isinstance(part, Unknown) else make(part)
