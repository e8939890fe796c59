"""What operations give back: data for `labctl.report`. Times in seconds, memory in MiB."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from labctl.errors import LabctlError
from labctl.ops.state import LabStatus as LabStatus
from labctl.ops.state import NodeStatus as NodeStatus

if TYPE_CHECKING:  # for annotations alone: `labctl status` must not import them
    from labctl.model.finding import PreflightReport
    from labctl.model.lab import Lab
    from labctl.plan.model import Plan
    from labctl.verify.model import VerifyReport


@dataclass(frozen=True, slots=True)
class NodeOutcome:
    """How one node fared. `error` None means well; `tail` holds its last console lines if not."""

    node: str
    action: str
    seconds: float
    phase: str = ""
    error: LabctlError | None = None
    tail: tuple[str, ...] = ()


class Goal(StrEnum):
    """How far a run takes nodes."""

    READY = "ready"
    STARTED = "started"
    PAUSED = "paused"


@dataclass(frozen=True, slots=True)
class WarmStart:
    """Nodes that were restored from a kept state instead of booted, and when that was taken."""

    nodes: tuple[str, ...]
    created: str
    """ISO 8601 UTC."""
    seconds: float


@dataclass(frozen=True, slots=True)
class UpResult:
    """What `up` and `rebuild` did and found."""

    lab: Lab
    uri: str
    virt_type: str
    plan: Plan
    preflight: PreflightReport
    outcomes: tuple[NodeOutcome, ...]
    verify: VerifyReport | None
    seconds: float
    recovered: tuple[str, ...] = ()
    """What a killed run had left half-done and this one put right."""
    unready: tuple[str, ...] = ()
    """Nodes that were not asked for, and are off or not ready."""
    goal: Goal = Goal.READY
    warm: WarmStart | None = None
    notes: tuple[str, ...] = ()
    """What else there is to tell of states kept for warm starts."""

    @property
    def failed(self) -> tuple[NodeOutcome, ...]:
        return tuple(outcome for outcome in self.outcomes if outcome.error is not None)


@dataclass(frozen=True, slots=True)
class DownResult:
    """What `down` stopped: node -> how (powered off, forced off, was off)."""

    lab: str
    outcomes: tuple[NodeOutcome, ...]
    seconds: float

    @property
    def failed(self) -> tuple[NodeOutcome, ...]:
        return tuple(outcome for outcome in self.outcomes if outcome.error is not None)


@dataclass(frozen=True, slots=True)
class Belongings:
    """All that a lab owns on its host: what `destroy` will remove."""

    lab: str
    domains: tuple[str, ...]
    networks: tuple[str, ...]
    folder: Path | None
    snapshots: tuple[str, ...] = ()

    @property
    def empty(self) -> bool:
        return not (self.domains or self.networks or self.folder)


@dataclass(frozen=True, slots=True)
class DestroyResult:
    """What `destroy` removed."""

    lab: str
    removed: Belongings
    seconds: float
    others: tuple[str, ...] = ()
    """The other labs that are here."""


@dataclass(frozen=True, slots=True)
class ExecResult:
    """One command on one node; `error` set when the command could not be run at all."""

    node: str
    command: str
    returncode: int
    stdout: str
    stderr: str
    error: LabctlError | None = None


@dataclass(frozen=True, slots=True)
class SaveResult:
    """Where `save` wrote each node's configuration; nodes without one are in `skipped`."""

    lab: str
    folder: Path
    files: tuple[Path, ...]
    skipped: tuple[str, ...]
    outcomes: tuple[NodeOutcome, ...]


@dataclass(frozen=True, slots=True)
class LinkResult:
    """The state of a link's end before and after."""

    link: str
    end: str
    was_up: bool
    is_up: bool


@dataclass(frozen=True, slots=True)
class RestoreResult:
    """A lab put back to a snapshot: its nodes by what they do now, and what is to be known."""

    lab: str
    snapshot: str
    safety: str
    """The snapshot of what was before; "" for none."""
    running: tuple[str, ...]
    paused: tuple[str, ...]
    off: tuple[str, ...]
    removed: tuple[str, ...]
    """Nodes the snapshot does not have."""
    resume_skew: float
    """From the first machine that ran on to the last one."""
    late_clocks: tuple[str, ...]
    """Nodes whose clock could not be set."""
    notes: tuple[str, ...]
    seconds: float
    unkept: tuple[str, ...] = ()
    """Nodes whose present is not in `safety`."""
    left_alone: tuple[str, ...] = ()
    """Nodes the snapshot could not capture when it was taken."""


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What `import-lab` brought here. `up` is how its nodes booted, None where none had to.

    `verify` is the verdict on a lab that went on from memory, None where it was not asked for or
    not all of its nodes run.
    """

    lab: str
    file: Path
    snapshot: str
    with_memory: bool
    started: bool
    images: tuple[str, ...]
    """Golden images taken into the store."""
    resume_skew: float
    """Seconds from the first machine's resume to the last one's."""
    late_clocks: tuple[str, ...]
    """Nodes whose clock could not be set."""
    seconds: float
    up: UpResult | None
    verify: VerifyReport | None
