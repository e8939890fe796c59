"""What looking into an image found, in words."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from labctl.model.inspection import Contents, Depth, Findings, Inspection, Layer, Verdict
from labctl.report.paint import Cell, Paint, clean, count, duration, size, table

_STYLES = {
    Verdict.PRISTINE: "good",
    Verdict.UNKNOWN: "",
    Verdict.USED: "warn",
    Verdict.MODIFIED: "warn",
    Verdict.DAMAGED: "bad",
    Verdict.NOT_BOOTABLE: "bad",
}
_MOST_LAYERS = 10
_MOST_ROWS = 20


def inspection_lines(done: Inspection, paint: Paint) -> list[str]:
    """The verdict with its reasons, then what was looked at."""
    found = done.found
    lines = [f"{paint('bold', found.name)}: {paint(_STYLES[done.verdict], done.verdict)}"]
    for reason in done.reasons[:_MOST_ROWS]:
        where = f"  ({clean(reason.where)})" if reason.where else ""
        style = _STYLES[reason.verdict]
        lines.append(f"  {paint(style, reason.verdict)}: {clean(reason.text)}{where}")
    lines += _more(len(done.reasons), "reason")
    if found.name_parts:
        rows = [(clean(part.text), part.kind, part.meaning) for part in found.name_parts]
        lines += ["", *table(("piece of the name", "what", "meaning"), rows, paint, indent="  ")]
    lines += ["", *_top_lines(found)]
    lines += ["", *_chain_lines(found, done.depth, paint)]
    if found.contents is not None:
        lines += ["", *contents_lines(found.contents, paint)]
    return lines


def _top_lines(found: Findings) -> Iterator[str]:
    top = found.top
    facts = {
        "file": found.path,
        "name claims": f"NX-OS {found.claims}" if found.claims else "nothing labctl understands",
        "origin": found.origin.how,
        "format": _format(top),
        "disk": _known(top.virtual_size),
        "file size": f"{size(top.size)}, {size(top.allocated)} on the disk",
        "modified": top.modified,
        "marks": _marks(top),
        "snapshots": count(len(top.snapshots), "internal snapshot"),
    }
    yield from (f"  {title:<12} {clean(text)}" for title, text in facts.items())
    for state in top.snapshots[:_MOST_ROWS]:
        memory = f", memory {size(state.vm_state_size)}" if state.vm_state_size else ""
        yield clean(f"               {state.id} {state.name}, {state.date}{memory}")
    yield from _more(len(top.snapshots), "snapshot")
    for check in found.checks:
        counts = f"{check.corruptions} corruptions, {check.leaks} leaks, {check.errors} errors"
        told = check.words.splitlines()[0] if check.words else counts
        text = told if check.standing in ("in use", "not checked") else counts
        yield clean(f"  {'check':<12} {check.standing}: {text}  ({check.path})")
    if found.unchecked:
        yield f"  {'check':<12} {found.unchecked}"


def _format(top: Layer) -> str:
    if top.version is None:
        return top.format
    return f"{top.format}, compat {top.compat or '?'}, clusters of {_known(top.cluster_size)}"


def _marks(top: Layer) -> str:
    marks = {
        "dirty": top.dirty,
        "corrupt": top.corrupt,
        "encrypted": top.encrypted,
        "data in another file": top.data_file,
    }
    return ", ".join(words for words, is_set in marks.items() if is_set) or "none"


def _chain_lines(found: Findings, depth: Depth, paint: Paint) -> Iterator[str]:
    chain = found.chain
    style = {Depth.SINGLE: "", Depth.DEEP: "warn"}.get(depth, "bad")
    yield f"chain: {count(len(chain.layers), 'layer')}, {paint(style, depth)}"
    shown = chain.layers
    if len(shown) > _MOST_LAYERS:
        half = _MOST_LAYERS // 2
        shown = (*shown[:half], *shown[-half:])
    rows = [
        (clean(layer.path), layer.format, size(layer.size), _age(layer, found.looked))
        for layer in shown
    ]
    yield from table(("layer", "format", "size", "last changed"), rows, paint, indent="  ")
    if len(shown) < len(chain.layers):
        yield f"  and {len(chain.layers) - len(shown)} between them (`--json` has all)"
    if chain.fault:
        yield f"  {paint('bad', clean(chain.fault))}"


def contents_lines(contents: Contents, paint: Paint) -> Iterator[str]:
    """What is on the disk."""
    yield f"on the disk of {clean(contents.layer)}"
    if contents.skipped:
        data = f"{contents.skipped_with_data} of them hold data that was not read"
        empty = data if contents.skipped_with_data else "all of them empty"
        yield f"  {count(contents.skipped, 'layer')} above it left out, {empty}"
    if contents.problem:
        yield f"  {paint('bad', clean(contents.problem))}"
        return
    yield f"  partition table: {contents.table or 'none'}"
    rows: list[list[str | Cell]] = [
        [
            system.device,
            system.type,
            clean(system.label),
            "" if system.files is None else count(system.files, "path"),
            Cell(clean(system.problem or system.state), "warn" if system.problem else ""),
        ]
        for system in contents.file_systems
    ]
    if rows:
        yield from table(("file system", "type", "label", "holds", ""), rows, paint, indent="  ")
    yield from _evidence(contents, paint)


def _evidence(contents: Contents, paint: Paint) -> Iterator[str]:
    for boot in contents.boot_lines[:_MOST_ROWS]:
        consoles = f"  [console {', '.join(boot.consoles)}]" if boot.consoles else ""
        yield clean(f"  boot {boot.file_system}:{boot.path}:{boot.line}: {boot.text}{consoles}")
    yield from _more(len(contents.boot_lines), "boot line")
    for clue in contents.versions[:_MOST_ROWS]:
        agrees = {True: ", as its name", False: ", not as its name", None: ""}[clue.agrees]
        yield clean(f"  NX-OS {clue.release}{agrees}: {clue.file_system}:{clue.path}: {clue.text}")
    for match in contents.matches[:_MOST_ROWS]:
        style = {"bad": "bad", "warn": "warn"}.get(match.severity, "")
        place = f"{match.file_system}:{match.path}" + (f":{match.line}" if match.line else "")
        yield f"  {paint(style, match.severity)} {match.id}: {clean(f'{place}: {match.text}')}"
        yield f"       {match.explanation} (source: {match.source})"
    yield from _more(len(contents.matches), "finding")
    for words in contents.unread[:_MOST_ROWS]:
        yield f"  unread {clean(words)}"


def _more(number: int, noun: str) -> list[str]:
    left = number - _MOST_ROWS
    return [f"  and {count(left, noun)} more (`--json` has all)"] if left > 0 else []


def _age(layer: Layer, looked: str) -> str:
    past = datetime.fromisoformat(looked) - datetime.fromisoformat(layer.modified)
    return f"{duration(max(0.0, past.total_seconds()))} ago"


def _known(number: int | None) -> str:
    return "unknown" if number is None else size(number)
