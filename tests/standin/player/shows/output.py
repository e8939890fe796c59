"""What a show command has to say, as text and as data, and NX-OS's pipe."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Output:
    """`data` is None for a command that NX-OS has no structured output for."""

    text: str
    data: Mapping[str, Any] | None = None


def table(name: str, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """NX-OS's way with tables: no rows, no table; one row is an object, more are an array."""
    if not rows:
        return {}
    return {f"TABLE_{name}": {f"ROW_{name}": rows[0] if len(rows) == 1 else list(rows)}}


def piped(output: Output, stages: Sequence[str]) -> str:
    """The text after `| json`, `| include X` and the like."""
    text = output.text
    for stage in stages:
        words = stage.split(None, 1)
        text = _stage(
            output, text, words[0] if words else "", words[1].strip('" ') if words[1:] else ""
        )
    return text


def _stage(output: Output, text: str, word: str, argument: str) -> str:
    if word.startswith("json"):
        if output.data is None:
            return "ERROR: No structured output available for this command"
        return (
            json.dumps(output.data, indent=4 if "pretty" in word else None) if output.data else ""
        )
    lines = text.splitlines()
    if word in ("no-more", "cat"):
        return text
    if word in ("include", "i", "inc", "grep", "egrep"):
        return "\n".join(line for line in lines if re.search(argument, line))
    if word in ("exclude", "ex"):
        return "\n".join(line for line in lines if not re.search(argument, line))
    if word in ("begin", "b"):
        start = next((n for n, line in enumerate(lines) if re.search(argument, line)), len(lines))
        return "\n".join(lines[start:])
    if word == "count":
        return str(len(lines))
    return "% Invalid command at '^' marker."


def clock(seconds: int) -> str:
    """A duration as NX-OS's tables have it."""
    minutes, second = divmod(seconds, 60)
    hour, minute = divmod(minutes, 60)
    return f"{hour:02}:{minute:02}:{second:02}"


def period(seconds: int) -> str:
    """A duration as NX-OS's JSON has it."""
    minutes, second = divmod(seconds, 60)
    hour, minute = divmod(minutes, 60)
    return f"PT{hour}H{minute}M{second}S" if hour else f"PT{minute}M{second}S"
