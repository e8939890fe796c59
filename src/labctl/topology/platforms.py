"""Device families from lab/platforms/*.yaml, checked as they are read."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, fields
from functools import cache
from pathlib import Path
from typing import Any

from labctl.errors import TopologyError
from labctl.model.lab import Role
from labctl.model.platform import (
    ANSWERS,
    FaultRule,
    Firmware,
    InterfaceNames,
    PhaseRule,
    Platform,
    PromptRule,
    ReleaseRule,
)
from labctl.model.release import Release, parse_release
from labctl.topology.document import Document
from labctl.topology.reader import parse
from labctl.topology.record import read_list, read_mapping, read_record, read_scalar
from labctl.topology.sizes import parse_size
from labctl.topology.suggest import suggest

PLATFORM_FOLDER = Path(__file__).parent.parent / "lab" / "platforms"
MOST_NICS = 4094
"""Data NICs a node can have: its block of MAC addresses holds NIC 0 and one for the router."""


def _text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError("must be text")
    return value


def _pattern(value: object) -> str:
    text = _text(value)
    try:
        re.compile(text.encode())
    except re.error as error:
        raise ValueError(f"{text!r} is no regular expression: {error}") from None
    return text


def _whole(last: int) -> Callable[[object], int]:
    def convert(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= last:
            raise ValueError(f"must be a whole number from 1 to {last}, not {value!r}")
        return value

    return convert


def _seconds(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
        raise ValueError(f"must be a number of seconds above 0, not {value!r}")
    return float(value)


def _one_of(choices: Iterable[str]) -> Callable[[object], str]:
    known = tuple(choices)

    def convert(value: object) -> str:
        if value not in known:
            raise ValueError(f"{value!r} is not known here: {suggest(str(value), known)}")
        return str(value)

    return convert


def _mac_prefix(value: object) -> str:
    if not re.fullmatch(r"[0-9a-f]{2}(:[0-9a-f]{2}){0,2}", text := _text(value)):
        raise ValueError(f"must be one to three bytes like 0c:00, not {value!r}")
    if text.startswith("52:54:00") or int(text[:2], 16) & 1:
        raise ValueError(f"{text!r} is QEMU's own or of groups")
    return text


def _yes_or_no(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"must be true or false, not {value!r}")
    return value


def _release(value: object) -> Release:
    return parse_release(_text(value))


_TEXT, _SIZE, _SECONDS = read_scalar(_text), read_scalar(parse_size), read_scalar(_seconds)
_INTERFACES = {
    "management": read_scalar(lambda value: _text(value) if value else ""),
    "data_prefix": _TEXT,
    "maximum": read_scalar(_whole(MOST_NICS)),
    "modules": read_list(read_scalar(_whole(MOST_NICS))),
}
_PHASE = {
    "name": _TEXT,
    "pattern": read_scalar(_pattern),
    "deadline": _SECONDS,
    "once": read_scalar(_yes_or_no),
}
_FAULT = {
    "name": _TEXT,
    "pattern": read_scalar(_pattern),
    "explanation": _TEXT,
    "times": read_scalar(_whole(100)),
}
_PROMPT = {
    "kind": _TEXT,
    "pattern": read_scalar(_pattern),
    "answer": read_scalar(_one_of(ANSWERS)),
}
_FIRMWARE = {
    "kind": read_scalar(_one_of(("rom", "pflash"))),
    "code": _TEXT,
    "variables": _TEXT,
}
_RELEASE = {
    "title": _TEXT,
    "products": read_list(_TEXT),
    "first": read_scalar(_release),
    "last": read_scalar(_release),
    "lite": read_scalar(_yes_or_no),
    "least_ports": read_scalar(_whole(MOST_NICS)),
    "memory": _SIZE,
    "memory_floor": _SIZE,
    "memory_floor_source": _TEXT,
    "vcpus": read_scalar(_whole(64)),
    "ports": read_scalar(_whole(MOST_NICS)),
    "syntax": _TEXT,
}
_RELEASE_DEFAULTS = {
    "products": (),
    "first": None,
    "last": None,
    "lite": None,
    "least_ports": 0,
}
_PLATFORM = {
    "name": _TEXT,
    "description": _TEXT,
    "device": read_scalar(_one_of(("frr", "linux", "nxos"))),
    "default_image": _TEXT,
    "memory": _SIZE,
    "memory_floor": _SIZE,
    "memory_floor_source": _TEXT,
    "vcpus": read_scalar(_whole(64)),
    "roles": read_list(read_scalar(_one_of(role.value for role in Role))),
    "interfaces": read_mapping(_INTERFACES, {"modules": ()}),
    "domain_template": _TEXT,
    "machine": _TEXT,
    "disk_bus": _TEXT,
    "nic_model": _TEXT,
    "cdrom_bus": _TEXT,
    "phases": read_list(read_mapping(_PHASE, {"once": False})),
    "start_deadline": _SECONDS,
    "faults": read_list(read_mapping(_FAULT, {"times": 1})),
    "console_login": _TEXT,
    "stop_deadline": _SECONDS,
    "automation": read_scalar(_one_of(("agent", "console"))),
    "day0_label": _TEXT,
    "evpn_over": read_scalar(_one_of(("link", "loopback"))),
    "mac_prefix": read_scalar(_mac_prefix),
    "fillers": read_scalar(_yes_or_no),
    "boot_variable": read_scalar(_yes_or_no),
    "serial_ports": read_scalar(_whole(4)),
    "cpu_hide": read_list(_TEXT),
    "firmware": read_list(read_mapping(_FIRMWARE, {"variables": ""})),
    "prompts": read_list(read_mapping(_PROMPT, {"answer": ""})),
    "releases": read_list(read_mapping(_RELEASE, _RELEASE_DEFAULTS)),
    "without_kvm": _TEXT,
    "products": read_list(_TEXT),
}
_FILE = {**_PLATFORM, "like": _TEXT}
_DEFAULTS = {
    "like": "",
    **{f.name: f.default for f in fields(Platform) if f.default is not MISSING},
}


@cache
def load_platforms(folder: Path = PLATFORM_FOLDER) -> Mapping[str, Platform]:
    """Every platform of `folder` by name, in order of name; read once in a run.

    Raises TopologyError naming file, line and column of all that is wrong in all files.
    """
    documents = {
        path.stem: parse(path.read_text(encoding="utf-8", errors="surrogateescape"), str(path))
        for path in sorted(folder.glob("*.yaml"))
    }
    read: dict[str, Mapping[str, Any]] = {}
    for stem in sorted(documents, key=lambda stem: _model_of(documents[stem]) != ""):
        if (values := _read(documents[stem], stem, read)) is not None:
            read[stem] = values
    if problems := [problem for document in documents.values() for problem in document.problems]:
        raise TopologyError(problems)
    return {stem: _build(read[stem]) for stem in documents}


def _model_of(document: Document) -> str:
    """The platform a file is `like`, which fills in what it doesn't say; "" for none."""
    item = document.root.child("like")
    return str(item.value) if item is not None else ""


def _read(
    document: Document, stem: str, read: Mapping[str, Mapping[str, Any]]
) -> Mapping[str, Any] | None:
    model = _model_of(document)
    if model and model not in read:
        document.report(("like",), f"there is no platform {model!r} to be like of its own")
        return None
    values: dict[str, Any] = {}
    try:
        defaults = {"like": "", **read[model]} if model else _DEFAULTS
        values = read_record(document, (), document.root, _FILE, defaults)
    except ValueError as error:
        document.report((), str(error))
    if document.problems:
        return None
    if values["name"] != stem:
        document.report(("name",), f"platform {values['name']!r} must be in {values['name']}.yaml")
    if values["memory"] < values["memory_floor"]:
        document.report(("memory",), "memory is below memory_floor")
    if not values["phases"]:
        document.report(("phases",), "a platform needs one phase or more")
    names = [phase["name"] for phase in values["phases"]]
    for index, name in enumerate(names):
        if name in names[:index]:
            document.report(("phases", index, "name"), f"phase {name!r} is given twice")
    return {name: value for name, value in values.items() if name in _PLATFORM}


def _build(values: Mapping[str, Any]) -> Platform:
    built = {
        "interfaces": InterfaceNames(**values["interfaces"]),
        "roles": tuple(Role(role) for role in values["roles"]),
        "phases": tuple(PhaseRule(**phase) for phase in values["phases"]),
        "faults": tuple(FaultRule(**fault) for fault in values["faults"]),
        "firmware": tuple(Firmware(**firmware) for firmware in values["firmware"]),
        "prompts": tuple(PromptRule(**prompt) for prompt in values["prompts"]),
        "releases": tuple(ReleaseRule(**release) for release in values["releases"]),
    }
    return Platform(**{**values, **built})
