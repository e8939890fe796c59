"""Snapshots of labs, in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from labctl.model.retention import Pruned
from labctl.ops.snapshot_results import (
    CreateResult,
    DeleteResult,
    Difference,
    ListResult,
    PruneResult,
    ShowResult,
)
from labctl.ops.state import Listed
from labctl.report.paint import Cell, Paint, clean, count, duration, size, table

_HEADER = ("snapshot", "age", "size", "kind", "holds", "skew", "description")
_DIFFS = {"+": "good", "-": "bad", "@": "dim"}


def create_lines(result: CreateResult, paint: Paint) -> list[str]:
    """The new snapshot, how long the lab stood still, and what became of others."""
    snapshot = result.snapshot
    nodes = count(len(snapshot.parts), "node")
    lines = [
        f"{result.lab}: snapshot {paint('good', snapshot.name)} in {duration(result.seconds)}: "
        f"{nodes}, {result.content.value}, {size(snapshot.size)}"
    ]
    if snapshot.running:
        lines.append(
            f"  the lab stood still for {duration(snapshot.halted)}; from the first node to the "
            f"last: pause {_short(snapshot.pause_skew)}, resume {_short(snapshot.resume_skew)}"
        )
    lines += [f"  {paint('warn', 'near a limit')}: {warning}" for warning in result.warnings]
    lines += [f"  pruned {_doomed(each)}" for each in result.pruned]
    lines += _beyond(result.beyond, paint)
    lines.append(f"  next: labctl snapshot restore {result.lab} {snapshot.name} brings it back")
    return lines


def list_lines(result: ListResult, paint: Paint) -> list[str]:
    """A tree by descent, with what is not labctl's below it."""
    whole = [each for each in result.snapshots if each.state == "complete"]
    total = size(sum(each.size for each in whole))
    lines = [paint("bold", f"{result.lab}: {count(len(whole), 'snapshot')}, {total}")]
    if result.snapshots:
        rows = [_row(each, stem) for each, stem in _tree(result.snapshots)]
        lines += table(_HEADER, rows, paint, indent="  ")
    else:
        lines.append(f"  `labctl snapshot create {result.lab} NAME` takes one")
    if any(each.current for each in result.snapshots):
        lines.append("  * what the lab's state came from")
    lines += [
        f"  {paint('bad', 'damaged')}: {each.name}, {clean(each.damage)}"
        for each in result.snapshots
        if each.damage
    ]
    lines += [f"  policy: {result.policy}"] if result.policy else []
    for node, names in result.foreign.items():
        who = f"{paint('warn', 'foreign')}: {node}"
        lines.append(f"  {who} has {clean(', '.join(names))}, not made by labctl")
    return lines


def show_lines(result: ShowResult, paint: Paint) -> list[str]:
    """All that is known of one snapshot, its parts, and what differs from now."""
    snapshot, listed = result.snapshot, result.listed
    origin = snapshot.imported_from
    where = f", imported from {clean(origin)}" if origin else f" on {snapshot.uri}"
    state = "" if listed.state == "complete" else f", {paint('bad', listed.state)}"
    lines = [
        paint("bold", f"{snapshot.name} of {snapshot.lab}") + state,
        f"  taken      {snapshot.created} ({duration(listed.age)} ago), {snapshot.kind.value}",
        f"  holds      {'memory and disks' if snapshot.with_memory else 'disks'}, "
        f"{size(snapshot.size)}",
        f"  halted     {duration(snapshot.halted)}; skew of pause "
        f"{_short(snapshot.pause_skew)}, of resume {_short(snapshot.resume_skew)}",
        f"  made by    labctl {snapshot.labctl}, QEMU {snapshot.qemu}, libvirt "
        f"{snapshot.libvirt}{where}",
    ]
    lines += [f"  lacks      {paint('warn', _partial(listed))}"] if listed.left_out else []
    lines += [f"  {paint('bad', 'damaged')}    {clean(listed.damage)}"] if listed.damage else []
    lines += [f"  parent     {snapshot.parent}"] if snapshot.parent else []
    lines += [f"  about      {clean(snapshot.description)}"] if snapshot.description else []
    rows = [
        [part.node, part.power.value, f"{part.memory} MiB", str(part.vcpus), part.machine,
         size(part.size), part.golden[:12]]
        for part in snapshot.parts
    ]  # fmt: skip
    header = ("node", "was", "memory", "vcpus", "machine", "size", "golden image")
    lines += table(header, rows, paint, indent="  ") if rows else []
    return [*lines, *_differences(result, paint)]


def prune_lines(result: PruneResult, paint: Paint) -> list[str]:
    """What the policy prunes and what stays."""
    if not result.policy:
        return [
            f"{result.lab}: its topology file has no `snapshots:` policy, so nothing is pruned; "
            f"`labctl snapshot delete {result.lab} NAME` deletes one"
        ]
    verb = "pruned" if result.done else paint("warn", "would prune")
    lines = [f"  {verb} {_doomed(each)}" for each in result.pruned]
    kept = f"{count(result.kept, 'snapshot')} of {size(result.kept_size)}"
    stay = "stay" if result.kept != 1 else "stays"
    lines += [f"  {kept} {stay}", *_beyond(result.beyond, paint)]
    return [f"{result.lab}: {result.policy}", *lines]


def doomed_lines(lab: str, chosen: Sequence[Listed], paint: Paint) -> list[str]:
    """What delete is going to delete."""
    return [
        paint("bold", f"delete of {lab}:"),
        *(
            f"  {each.name}, {size(each.size)}, {'damaged' if each.damage else each.state}"
            for each in chosen
        ),
    ]


def delete_lines(result: DeleteResult, _paint: Paint) -> list[str]:
    """What was deleted."""
    names = ", ".join(each.name for each in result.deleted)
    freed = size(sum(each.size for each in result.deleted))
    return [f"{result.lab}: deleted {names}; {freed} are free again"]


def _tree(snapshots: Sequence[Listed]) -> Iterator[tuple[Listed, str]]:
    """Each snapshot below its parent, with the lines that lead to it."""
    names = {each.name for each in snapshots}
    children: dict[str, list[Listed]] = {}
    for each in snapshots:
        children.setdefault(each.parent if each.parent in names else "", []).append(each)

    def below(parent: str, indent: str) -> Iterator[tuple[Listed, str]]:
        family = children.get(parent, [])
        for each in family:
            last = each is family[-1]
            stem = "" if not parent else indent + ("└─ " if last else "├─ ")
            yield each, stem
            yield from below(each.name, "" if not parent else indent + ("   " if last else "│  "))

    return below("", "")


def _row(each: Listed, stem: str) -> list[str | Cell]:
    name = f"{stem}{each.name}{' *' if each.current else ''}"
    if each.state != "complete":
        return [Cell(name, "bad"), "", "", "", Cell(each.state, "bad"), "", ""]
    kind = f"{each.kind}, protected" if each.protected else each.kind
    holds: str | Cell = "memory" if each.with_memory else "disks"
    if each.left_out:
        holds = Cell(f"{holds}, {_partial(each)}", "warn")
    skew = _short(max(each.pause_skew, each.resume_skew)) if each.halted else "-"
    return [
        name, duration(each.age), size(each.size), kind, holds, skew, clean(each.description),
    ]  # fmt: skip


def _partial(each: Listed) -> str:
    return f"partial: without {', '.join(each.left_out)}"


def _differences(result: ShowResult, paint: Paint) -> list[str]:
    if not result.differences and not result.topology_diff:
        return [
            "  no difference from the lab as it is now, day-0 configuration included (what was "
            "typed on devices since is not compared)"
        ]
    lines = [paint("bold", "what differs from now:")]
    lines += [f"  {_difference(each)}" for each in result.differences]
    for line in result.topology_diff:
        lines.append("  " + paint(_DIFFS.get(line[:1], ""), clean(line)))
    return lines


def _difference(each: Difference) -> str:
    who = f"{each.node}: " if each.node else ""
    return f"{who}{each.what} was {each.then or 'unknown'}, is {each.now or 'unknown'}"


def _doomed(each: Pruned) -> str:
    return f"{each.name} ({size(each.size)}): {each.reason}"


def _beyond(limits: Sequence[str], paint: Paint) -> list[str]:
    never = "what is protected, the newest, and what the lab stands on are never pruned"
    return [f"  {paint('warn', 'beyond a limit')}: {limit}; {never}" for limit in limits]


def _short(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms" if seconds < 1 else duration(seconds)
