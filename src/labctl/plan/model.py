"""A plan: the actions that take what is there to what the file wants, each with its reason."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class ActionKind(StrEnum):
    """What is done to one node (or, for the network kinds, to the lab's management network)."""

    CREATE_NETWORK = "create network"
    REPLACE_NETWORK = "replace network"
    REMOVE_NETWORK = "remove network"
    CREATE = "create"
    """new overlay from golden, define, start"""
    START = "start"
    """defined and off: start, disk kept"""
    RESUME = "resume"
    """paused: let it run on"""
    RESTART = "restart"
    """hardware or wiring changed: stop, redefine, start; disk kept"""
    REBUILD = "rebuild"
    """image or day-0 changed, or asked for: destroy, then create from golden"""
    REMOVE = "remove"
    """no longer in the file: destroy with its disk"""


FRESH = (ActionKind.CREATE, ActionKind.REBUILD)
"""Those that make a node from its golden image and day-0 alone."""


@dataclass(frozen=True, slots=True)
class Action:
    """One action. `node` is "" for the network kinds."""

    kind: ActionKind
    node: str
    reason: str


@dataclass(frozen=True, slots=True)
class Plan:
    """All actions for a lab, in order, and the nodes that are as the file wants.

    `left_out` is what the file wants of nodes that were not asked for; it is not done.
    """

    lab: str
    actions: tuple[Action, ...]
    unchanged: tuple[str, ...]
    left_out: tuple[Action, ...] = ()

    @property
    def empty(self) -> bool:
        return not self.actions
