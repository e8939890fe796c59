"""Device families from lab/platforms/*.yaml, checked as they are read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from labctl.errors import TopologyError
from labctl.model.lab import Role
from labctl.model.platform import FaultRule, InterfaceNames, PhaseRule, Platform
from labctl.topology.document import Document, parse
from labctl.topology.shape import Shape, validate
from labctl.topology.sizes import parse_size

PLATFORM_FOLDER = Path(__file__).parent.parent / "lab" / "platforms"


def _pattern(value: str) -> str:
    try:
        re.compile(value.encode())
    except re.error as error:
        raise ValueError(f"{value!r} is no regular expression: {error}") from None
    return value


_Text = Annotated[str, Field(min_length=1)]
_Size = Annotated[int, BeforeValidator(parse_size)]
_Pattern = Annotated[_Text, AfterValidator(_pattern)]
_Seconds = Annotated[float, Field(gt=0)]


class _Interfaces(Shape):
    management: str
    data_prefix: _Text
    maximum: Annotated[int, Field(ge=1, le=4095)]
    """4095: a node's block of MAC addresses holds 4096 NICs (model.identity)."""


class _Phase(Shape):
    name: _Text
    pattern: _Pattern
    deadline: _Seconds


class _Fault(Shape):
    name: _Text
    pattern: _Pattern
    explanation: _Text


class _Platform(Shape):
    name: _Text
    description: _Text
    device: Literal["frr", "linux"]
    default_image: _Text
    memory: _Size
    memory_floor: _Size
    memory_floor_source: _Text
    vcpus: Annotated[int, Field(ge=1)]
    roles: Annotated[list[Literal["spine", "leaf", "border", "host"]], Field(min_length=1)]
    interfaces: _Interfaces
    domain_template: _Text
    machine: _Text
    disk_bus: _Text
    nic_model: _Text
    cdrom_bus: _Text
    phases: Annotated[list[_Phase], Field(min_length=1)]
    start_deadline: _Seconds
    faults: list[_Fault]
    console_login: _Text
    stop_deadline: _Seconds

    def build(self) -> Platform:
        """The platform as the rest of labctl knows it."""
        simple = self.model_dump(exclude={"roles", "interfaces", "phases", "faults"})
        return Platform(
            **simple,
            roles=tuple(Role(role) for role in self.roles),
            interfaces=InterfaceNames(**self.interfaces.model_dump()),
            phases=tuple(PhaseRule(**phase.model_dump()) for phase in self.phases),
            faults=tuple(FaultRule(**fault.model_dump()) for fault in self.faults),
        )


def load_platforms(folder: Path = PLATFORM_FOLDER) -> Mapping[str, Platform]:
    """Every platform of `folder` by name, in order of name.

    Raises TopologyError naming file, line and column of all that is wrong in all files.
    """
    platforms: dict[str, Platform] = {}
    problems = []
    for path in sorted(folder.glob("*.yaml")):
        document = parse(path.read_text(encoding="utf-8", errors="surrogateescape"), str(path))
        if (platform := _load(document, path.stem)) is not None:
            platforms[platform.name] = platform
        problems += document.problems
    if problems:
        raise TopologyError(problems)
    return platforms


def _load(document: Document, stem: str) -> Platform | None:
    shaped = None if document.problems else validate(_Platform, document)
    if shaped is None:
        return None
    if shaped.name != stem:
        document.report(("name",), f"platform {shaped.name!r} must be in {shaped.name}.yaml")
    if shaped.memory < shaped.memory_floor:
        document.report(("memory",), "memory is below memory_floor")
    names = [phase.name for phase in shaped.phases]
    for index, name in enumerate(names):
        if name in names[:index]:
            document.report(("phases", index, "name"), f"phase {name!r} is given twice")
    return shaped.build()
