"""Saved configurations: how a file says that it is a device's whole configuration.

`labctl save` puts the line first; a node whose `config` is such a file starts from it, instead of
having it appended to what labctl generates.
"""

from __future__ import annotations

_WHOLE = "! labctl: whole configuration"
_OF = f"{_WHOLE} of "


def as_whole(node: str, text: str) -> str:
    """A device's cleaned configuration, marked as the whole of it."""
    return f"{_OF}{node}\n{text}"


def is_whole(text: str) -> bool:
    """Whether `text` is a whole configuration."""
    return text.startswith(_WHOLE)


def saved_from(text: str) -> str:
    """The node whose whole configuration `text` says to be; "" where it names none."""
    line = text.partition("\n")[0]
    return line.removeprefix(_OF).strip() if line.startswith(_OF) else ""
