"""vPC pairs: which leaves are halves of one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

from labctl.model.role import Role


class Numbered(Protocol):
    """What pairing needs to know of a node."""

    @property
    def name(self) -> str: ...
    @property
    def role(self) -> Role: ...
    @property
    def index(self) -> int: ...


def partners(nodes: Iterable[Numbered]) -> Mapping[str, str]:
    """Leaf -> the leaf it makes a pair with: 1 with 2, 3 with 4; one without the other is none."""
    names = {node.index: node.name for node in nodes if node.role is Role.LEAF}
    return {name: names[_other(n)] for n, name in names.items() if _other(n) in names}


def pair_number(index: int) -> int:
    """The pair that leaf `index` is half of, counted from 1."""
    return (index + 1) // 2


def _other(index: int) -> int:
    return index + 1 if index % 2 else index - 1
