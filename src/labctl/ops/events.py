"""What operations tell while they work: data, never text on a screen.

`labctl.report` turns events into progress on a terminal, plain lines or JSON lines.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # for annotations alone: `labctl status` must not import it
    from labctl.plan.model import Plan


@dataclass(frozen=True, slots=True)
class StepStarted:
    """A step of the run began. `node` is "" for steps of the whole lab."""

    step: str
    node: str = ""


@dataclass(frozen=True, slots=True)
class StepDone:
    """A step ended well, after `seconds`."""

    step: str
    seconds: float
    node: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class StepFailed:
    """A step failed, or an interrupt cut it short; the error itself is in the result."""

    step: str
    seconds: float
    node: str = ""
    reason: str = ""
    interrupted: bool = False


@dataclass(frozen=True, slots=True)
class PhaseEntered:
    """A node's boot reached a phase, `seconds` after its start."""

    node: str
    phase: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Converging:
    """The fabric is not healthy yet, `seconds` after it was first looked at, and is waited for."""

    failed: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Progress:
    """So many bytes of a long step are done; told several times a second, and at its end."""

    step: str
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Notice:
    """Something worth telling that is no failure."""

    text: str
    node: str = ""


@dataclass(frozen=True, slots=True)
class PlanMade:
    """What the run is going to touch, told before it touches anything."""

    plan: Plan


Event = (
    StepStarted | StepDone | StepFailed | PhaseEntered | Converging | Progress | Notice | PlanMade
)
EventSink = Callable[[Event], None]
