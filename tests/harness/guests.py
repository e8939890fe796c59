"""What a guest's programs print, out of evidence."""

from __future__ import annotations

import shlex
from collections.abc import Callable

from labctl.errors import HypervisorError
from labctl.hypervisor.api import CommandResult
from labctl.verify.evidence import Evidence, slug

LACKING = ("nc.openbsd", "fping")
"""Programs these guests don't have, as many a guest that labctl did not build."""


def printed(evidence: Evidence, node: str, argv: tuple[str, ...], *, at_most: int = 1000) -> str:
    """The output of a program; of vtysh no more than `at_most` commands."""
    if argv[0] in LACKING:
        return ""
    if argv[0] != "vtysh":
        return evidence.outputs[node, slug(shlex.join(argv))]
    shows = [word for word in argv if word.startswith("show ")][:at_most]
    return "".join(f"{node}# {show}\n{evidence.outputs[node, slug(show)]}" for show in shows)


def guests(evidence: Callable[[], Evidence]) -> Callable[[str, tuple[str, ...]], CommandResult]:
    """For FakeHypervisor.guest: every machine says what `evidence()` has of its node just now."""

    def answer(domain: str, argv: tuple[str, ...]) -> CommandResult:
        now, node = evidence(), domain.partition(".")[2]
        if node in now.unreachable:
            raise HypervisorError(now.unreachable[node])
        return CommandResult(0, printed(now, node, argv), "")

    return answer
