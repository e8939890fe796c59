"""Which causes waiting does not mend: configuration stays, and cables don't plug themselves."""

from __future__ import annotations

from labctl.model.intent import Intent
from labctl.verify.model import Cause, CauseKind, Check, CheckKind, VerifyReport

_CONFIGURED = frozenset(
    {
        CauseKind.SESSION_SHUT,
        CauseKind.PREFIX_LIMIT,
        CauseKind.SESSION_NOT_CONFIGURED,
        CauseKind.BOOT_UNSET,
        CauseKind.REPLICATION_DIFFERS,
        CauseKind.TCAM_NOT_CARVED,
    }
)
"""All read off a node's own configuration, not guessed from what it lacks."""


def lasts(cause: Cause, report: VerifyReport, intent: Intent) -> bool:
    """Whether `cause` stays as it is until somebody does something.

    A route target mismatch does where the node itself names the wrong target: guessed from missing
    VTEPs, it may be a fabric that converges. So does a pulled cable, once its underlay or its host
    is seen to be down, and memory below what the software needs where the file allows that.
    """
    proof = [check for check in report.checks if check.id in cause.evidence]
    if cause.kind is CauseKind.RT_MISMATCH:
        return any(check.kind is CheckKind.ROUTE_TARGET for check in proof)
    if cause.kind is CauseKind.LINK_DOWN:
        return bool(cause.unplugged) and any(_needs_its_cable(check, intent) for check in proof)
    if cause.kind is CauseKind.LOW_MEMORY:
        return all(_is_given_too_little(check, intent) for check in proof)
    return cause.kind in _CONFIGURED


def _needs_its_cable(check: Check, intent: Intent) -> bool:
    """An adjacency runs over one link; a host with a bond may yet find its other one."""
    if check.kind is CheckKind.PING_GATEWAY:
        return len(intent.nodes[check.node].ports) == 1
    return check.kind is CheckKind.UNDERLAY


def _is_given_too_little(check: Check, intent: Intent) -> bool:
    """What is free changes while a node comes up; what it was given, and has logged, does not."""
    return check.kind is not CheckKind.MEMORY or intent.nodes[check.node].node.allow_undersized
