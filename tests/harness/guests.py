"""What a guest prints for a batch of commands, out of evidence."""

from __future__ import annotations

from collections.abc import Callable

from labctl.errors import HypervisorError
from labctl.hypervisor.api import CommandResult
from labctl.verify.evidence import Evidence, slug


def printed(evidence: Evidence, node: str, script: str, *, at_most: int = 1000) -> str:
    """The output of a batch's script; of each vtysh no more than `at_most` commands."""
    sections = []
    for number, line in enumerate(script.splitlines()):
        sections.append(f"\n@labctl-output@ {number}\n{_output(evidence, node, line, at_most)}")
        sections.append("\n@labctl-output@ exit 0\n")
    return "".join(sections)


def _output(evidence: Evidence, node: str, line: str, at_most: int) -> str:
    if not line.startswith("exec vtysh"):
        return evidence.outputs[node, slug(line)]
    shows = [show.strip("' ") for show in line.split(" -c ")[1:]][:at_most]
    return "".join(f"{node}# {s}\n{evidence.outputs[node, slug(s)]}" for s in shows)


def guests(
    evidence: Callable[[], Evidence],
) -> Callable[[str, tuple[str, ...], str], CommandResult]:
    """For FakeHypervisor.guest: every machine says what `evidence()` has of its node just now."""

    def answer(domain: str, _argv: tuple[str, ...], script: str) -> CommandResult:
        now, node = evidence(), domain.partition(".")[2]
        if node in now.unreachable:
            raise HypervisorError(now.unreachable[node])
        return CommandResult(0, printed(now, node, script), "")

    return answer
