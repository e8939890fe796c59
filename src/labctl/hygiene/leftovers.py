"""What killed runs left. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from labctl.hygiene.facts import Facts, LabFact, Leftover, LeftoverKind
from labctl.hygiene.words import HOUR, shell, size, span
from labctl.model.hygiene import Finding, Mend, MendKind, Severity


class _Kind(NamedTuple):
    """How a kind of leftover is judged. `patience`: seconds for which it may be at work."""

    severity: Severity
    meaning: str
    command: tuple[str, ...]
    mend: MendKind | None
    patience: float = 0.0


_KINDS: Mapping[LeftoverKind, _Kind] = {
    LeftoverKind.PART: _Kind(
        Severity.WARN,
        "a killed run was writing it; it is no part of anything",
        ("rm",),
        MendKind.REMOVE_FILE,
        HOUR,
    ),
    LeftoverKind.LOCK: _Kind(
        Severity.NOTE,
        "a killed run left the file; the lock itself ended with it",
        ("rm",),
        MendKind.REMOVE_LOCK,
    ),
    LeftoverKind.EMPTY: _Kind(
        Severity.NOTE,
        "a killed run made it and got no further",
        ("rmdir",),
        MendKind.REMOVE_FOLDER,
    ),
    LeftoverKind.INCOMING: _Kind(
        Severity.WARN,
        "an import was cut off; the same `labctl image import` again takes it on",
        ("rm",),
        None,
        HOUR,
    ),
    LeftoverKind.CANARY: _Kind(
        Severity.NOTE,
        "a killed preflight left it",
        ("rm",),
        MendKind.REMOVE_FILE,
        HOUR,
    ),
}


def check_leftovers(facts: Facts) -> Iterator[Finding]:
    """Files and folders; what a run that is at work may be writing is left alone."""
    locked = {lab.name for lab in facts.labs if lab.locked_by}
    for each in facts.leftovers:
        kind = _KINDS[each.kind]
        # Whoever writes below a lab's folder holds its lock.
        patience = 0.0 if each.lab else kind.patience
        if each.lab not in locked and facts.now - each.modified >= patience:
            yield _left(facts, each, kind)


def _left(facts: Facts, each: Leftover, kind: _Kind) -> Finding:
    return Finding(
        check="leftover",
        severity=kind.severity,
        subject=str(each.path),
        message=f"{each.kind.value}, {size(each.size)}, {span(facts.now - each.modified)} old",
        meaning=kind.meaning,
        command=shell(*kind.command, each.path),
        evidence={"kind": each.kind.value, "bytes": each.size},
        mend=Mend(kind.mend, str(each.path), each.lab) if kind.mend else None,
    )


def check_labs(facts: Facts) -> Iterator[Finding]:
    """Journals without an end, snapshots half-made, topology files that can't be read."""
    for lab in facts.labs:
        if lab.unfinished:
            yield _journal(lab)
        for name in lab.incomplete:
            yield _incomplete(lab, name)
        for name, damage in lab.damaged.items():
            yield _damaged(lab, name, damage)
        if lab.nodes is None and not lab.locked_by:
            yield _no_file(lab)


def _journal(lab: LabFact) -> Finding:
    return Finding(
        check="journal",
        severity=Severity.WARN,
        subject=lab.name,
        message=f"a run was cut off in {'; '.join(lab.unfinished)}",
        meaning="some of its nodes may be half-made",
        command="labctl hygiene --fix"
        if lab.own_unfinished
        else f"labctl up {lab.name}  # or labctl destroy {lab.name}",
        evidence={"unfinished": list(lab.unfinished)},
        mend=Mend(MendKind.END_JOURNAL, lab.name, lab.name) if lab.own_unfinished else None,
    )


def _incomplete(lab: LabFact, name: str) -> Finding:
    return Finding(
        check="snapshot",
        severity=Severity.WARN,
        subject=f"{lab.name}/{name}",
        message="a snapshot of labctl's was cut off half-made",
        meaning="it can't be restored, and takes room",
        command=f"labctl snapshot delete {lab.name} {name}",
    )


def _damaged(lab: LabFact, name: str, damage: str) -> Finding:
    return Finding(
        check="snapshot",
        severity=Severity.WARN,
        subject=f"{lab.name}/{name}",
        message=f"a snapshot of labctl's is damaged, {damage}",
        meaning="it can't be restored until its files are put back as they were, and takes room",
        command=f"labctl snapshot delete {lab.name} {name}",
        evidence={"damage": damage},
    )


def _no_file(lab: LabFact) -> Finding:
    return Finding(
        check="lab",
        severity=Severity.WARN,
        subject=lab.name,
        message="its folder has no topology file that can be read",
        meaning="nothing tells what its nodes should be",
        command=f"labctl destroy {lab.name}",
        evidence={"folder": str(lab.folder)},
    )
