"""The roles of nodes, apart from `labctl.model.lab` so that `labctl status` starts fast."""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    """What a node does in the fabric."""

    SPINE = "spine"
    LEAF = "leaf"
    BORDER = "border"
    HOST = "host"

    @property
    def is_switch(self) -> bool:
        return self is not Role.HOST

    @property
    def is_vtep(self) -> bool:
        return self in (Role.LEAF, Role.BORDER)
