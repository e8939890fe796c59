"""Everything labctl can tell a user went wrong: one tree, one exit code per branch.

LabctlError
├── UsageError              2   the command line
├── TopologyError           3   the file; carries every Problem found in it
├── PreflightRefused        4   the host can't carry the lab
├── ImageError              5   a golden image is missing, damaged or unfit
├── HypervisorError         6   libvirt can't be reached, or refused a call
├── NodesFailed             7   some nodes failed; causes holds one error per node
├── PhaseError                  a node's boot failed in a phase; its error's exit code
├── DeadlineError           8   a wait ran out; names what was waited for
├── VerifyFailed            9   the fabric is unhealthy
├── LabLocked              10   another run holds the lab
└── InternalError           1   a fault of labctl itself
    └── ProcessError        1   a program labctl ran failed (unless a caller says what it means)
Interrupted               130   Ctrl-C
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from labctl.model.finding import PreflightReport


class ExitCode(IntEnum):
    """The exit codes of every command (docs/reference/exit-codes.md)."""

    DONE = 0
    FAULT = 1
    USAGE = 2
    TOPOLOGY = 3
    PREFLIGHT = 4
    IMAGE = 5
    HYPERVISOR = 6
    NODES_FAILED = 7
    DEADLINE = 8
    UNHEALTHY = 9
    LOCKED = 10
    SNAPSHOT = 11
    INTERRUPTED = 130


class LabctlError(Exception):
    """What happened (brief), why (details), what to do next (resolution), and what led to it."""

    exit_code = ExitCode.FAULT

    def __init__(
        self,
        brief: str,
        *,
        details: str = "",
        resolution: str = "",
        causes: Sequence[Exception] = (),
    ) -> None:
        super().__init__(brief)
        self.brief = brief
        self.details = details
        self.resolution = resolution
        self.causes = tuple(causes)


class UsageError(LabctlError):
    """The command line asks for something that makes no sense."""

    exit_code = ExitCode.USAGE


class Problem(NamedTuple):
    """One thing wrong in a topology file; line and column count from 1, 0 means the whole file."""

    file: str
    line: int
    column: int
    message: str
    hint: str = ""

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        return f"{where}: {self.message}" + (f" ({self.hint})" if self.hint else "")


class TopologyError(LabctlError):
    """The file is wrong; `problems` holds all that was found, in file order."""

    exit_code = ExitCode.TOPOLOGY

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(sorted(problems))
        count = len(self.problems)
        noun = "problem" if count == 1 else "problems"
        super().__init__(
            f"{self.problems[0].file}: {count} {noun}",
            details="\n".join(map(str, self.problems)),
            resolution="mend the file; `labctl validate FILE` checks it without touching anything",
        )


class PreflightRefused(LabctlError):
    """The host can't carry the lab; `report` holds every finding."""

    exit_code = ExitCode.PREFLIGHT

    def __init__(
        self, brief: str, *, report: PreflightReport, details: str = "", resolution: str = ""
    ) -> None:
        super().__init__(brief, details=details, resolution=resolution)
        self.report = report


class ImageError(LabctlError):
    """A golden image is missing, damaged or unfit."""

    exit_code = ExitCode.IMAGE


class SnapshotError(LabctlError):
    """A snapshot of a lab can't be taken, or is incomplete, damaged or unfit for this host."""

    exit_code = ExitCode.SNAPSHOT


class HypervisorError(LabctlError):
    """libvirt can't be reached, or refused a call."""

    exit_code = ExitCode.HYPERVISOR


class ConnectionLost(HypervisorError):
    """libvirt went away in the middle: nothing more can be done over this connection."""


class ConsoleBusy(HypervisorError):
    """Somebody else is attached to the console."""


class NodesFailed(LabctlError):
    """Some nodes failed; the others were carried on with."""

    exit_code = ExitCode.NODES_FAILED


class PhaseError(LabctlError):
    """A node failed in a named phase; `tail` holds its last console lines."""

    def __init__(self, error: LabctlError, *, phase: str, tail: Sequence[str] = ()) -> None:
        super().__init__(
            error.brief, details=error.details, resolution=error.resolution, causes=[error]
        )
        self.exit_code = error.exit_code
        self.phase = phase
        self.tail = tuple(tail)


class DeadlineError(LabctlError):
    """A wait ran out of time; the brief names what was waited for and for how long."""

    exit_code = ExitCode.DEADLINE


class VerifyFailed(LabctlError):
    """The fabric does not do what the file wants."""

    exit_code = ExitCode.UNHEALTHY


class LabLocked(LabctlError):
    """Another run of labctl is at work on the lab."""

    exit_code = ExitCode.LOCKED


class InternalError(LabctlError):
    """A fault of labctl itself."""


class ProcessError(InternalError):
    """A program labctl ran failed; `command` can be pasted into a shell."""

    def __init__(self, command: str, returncode: int, output: str) -> None:
        super().__init__(f"`{command}` failed with exit code {returncode}", details=output.strip())
        self.command = command
        self.returncode = returncode
        self.output = output


class Interrupted(LabctlError):
    """The user pressed Ctrl-C; details say what is left."""

    exit_code = ExitCode.INTERRUPTED
