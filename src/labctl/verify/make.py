"""Small helpers that all checks are made with."""

from __future__ import annotations

from collections.abc import Iterable

from labctl.devices.reading import Unknown
from labctl.verify.model import Check, CheckKind, Status


def check(
    kind: CheckKind,
    node: str,
    subject: str,
    *,
    expected: str,
    ok: bool | None,
    seen: str,
    peers: Iterable[str] = (),
    vni: int | None = None,
) -> Check:
    """A check with its id; `ok` None means not checked, for the reason in `seen`."""
    status = Status.NOT_CHECKED if ok is None else Status.PASS if ok else Status.FAIL
    number = f"{kind}/{node}/{subject}" if subject else f"{kind}/{node}"
    identity = number.replace(" ", "-")
    return Check(identity, kind, node, subject, status, expected, seen, tuple(peers), vni)


def unknown(
    kind: CheckKind,
    node: str,
    subject: str,
    why: Unknown,
    *,
    expected: str,
    peers: Iterable[str] = (),
    vni: int | None = None,
) -> Check:
    """A check that can't be made."""
    return check(
        kind, node, subject, expected=expected, ok=None, seen=why.reason, peers=peers, vni=vni
    )


def listed(names: Iterable[object]) -> str:
    """`a, b, c` in a steady order, or `none`."""
    return ", ".join(sorted(map(str, names))) or "none"
