"""The one JSON encoder: results as they are, keys as the dataclasses name them.

docs/reference/json.md lists the keys. Data only grows: a key once there keeps its meaning.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Set
from dataclasses import fields, is_dataclass
from enum import Enum
from ipaddress import IPv4Address, IPv4Interface, IPv4Network
from pathlib import PurePath
from typing import Any

from labctl.errors import LabctlError, PreflightRefused, Problem, TopologyError

_AS_TEXT = (IPv4Address, IPv4Interface, IPv4Network, PurePath)
_PLAIN = (str, int, float, bool, type(None))


def dump(value: object) -> str:
    """One JSON document, indented, with sorted sets, so that equal data gives equal text."""
    return json.dumps(to_data(value), indent=2, ensure_ascii=False)


def to_data(value: object) -> Any:
    """`value` as dicts, lists, strings and numbers. Raises TypeError for what it doesn't know."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, _PLAIN):
        return value
    if isinstance(value, LabctlError):
        return _error(value)
    if isinstance(value, _AS_TEXT):
        return str(value)
    if isinstance(value, Mapping):
        return {str(key): to_data(item) for key, item in value.items()}
    return _composite(value)


def _composite(value: object) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: to_data(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, tuple) and hasattr(value, "_asdict"):  # a NamedTuple
        return {name: to_data(item) for name, item in value._asdict().items()}
    if isinstance(value, Set):
        return sorted(to_data(item) for item in value)
    if isinstance(value, (list, tuple)):
        return [to_data(item) for item in value]
    raise TypeError(f"{type(value).__name__} has no JSON form")


def _error(error: LabctlError) -> dict[str, Any]:
    data: dict[str, Any] = {
        "kind": type(error).__name__,
        "brief": error.brief,
        "details": error.details,
        "resolution": error.resolution,
        "exit_code": int(error.exit_code),
        "causes": [_error(c) if isinstance(c, LabctlError) else str(c) for c in error.causes],
    }
    if isinstance(error, TopologyError):
        data["problems"] = [_problem(problem) for problem in error.problems]
    if isinstance(error, PreflightRefused):
        data["preflight"] = to_data(error.report)
    return data


def _problem(problem: Problem) -> dict[str, Any]:
    return problem._asdict()
