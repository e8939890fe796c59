"""Quarantine cases, in words."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from labctl.model.case import Case
from labctl.ops.quarantine import Sealed
from labctl.report.paint import Cell, Paint, clean, count, table


def cases_lines(found: Sequence[tuple[Case, Path]], paint: Paint) -> list[str]:
    """A table of all cases."""
    if not found:
        return ["no image is in quarantine"]
    rows: list[list[str | Cell]] = [
        [case.id, ", ".join(case.names) or case.file, case.opened, case.note or "-"]
        for case, _ in found
    ]
    lines = table(("case", "image", "since", "note"), rows, paint)
    return [*lines, f"their folders are in {found[0][1].parent}"]


def sealed_lines(sealed: Sealed, paint: Paint) -> list[str]:
    """What was put aside, who stood on it, what to do next."""
    case = sealed.case
    health = sealed.health
    lines = [
        f"{paint('bold', case.id)}: {sealed.folder}",
        f"  image     {clean(case.source)}, {'moved' if case.moved else 'copied'}",
        f"  sha256    {sealed.sha256 or 'the disk would not give it back whole'}",
        f"  check     {health.standing.value}: {count(health.corruptions, 'corruption')}, "
        f"{count(health.leaks, 'leak')}, {count(health.errors, 'error')}",
    ]
    if case.moved and sealed.sha256 != case.sha256:
        lines.append(f"  imported  as {case.sha256}: its bytes were changed since")
    if sealed.tar:
        lines.append(f"  tar       {sealed.tar}")
    return [*lines, *_next_lines(sealed)]


def _next_lines(sealed: Sealed) -> list[str]:
    case = sealed.case
    lines = []
    if sealed.nodes and case.moved:
        labs = dict.fromkeys(disk.lab for disk in sealed.nodes)
        lines += [
            f"stood on it: {', '.join(map(str, sealed.nodes))}",
            "machines that run have the file open and go on; none can be started again until "
            f"`labctl rebuild` made it anew ({', '.join(labs)})",
        ]
    lines += [f"`labctl image import FILE --name {name}` brings a good copy" for name in case.names]
    return [*lines, f"`labctl image salvage {case.id} --name NEW` rescues what can be read"]
