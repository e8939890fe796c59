"""What a rescue came to, in words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from labctl.ops.salvage import Health, Salvaged, Stretches
from labctl.report.paint import Paint, clean, count

_MOST = 20
"""Stretches shown; JSON has all."""


def salvaged_data(found: Salvaged) -> dict[str, Any]:
    """The rescue, for JSON."""
    return {
        **asdict(found),
        "bytes_lost": found.bytes_lost,
        "clusters_lost": found.clusters_lost,
        "before": found.before._asdict() if found.before else None,
        "after": found.after._asdict(),
    }


def salvaged_lines(found: Salvaged, paint: Paint) -> list[str]:
    """What was read, what was lost and where, and what QEMU says before and after."""
    whole = not found.lost and not found.doubtful
    lines = [
        f"{paint('bold', found.image.name)}: salvaged from {clean(str(found.source))} "
        f"in {found.seconds:.1f} s",
        f"  read      {found.read} bytes of {found.layers} file{'s' * (found.layers > 1)}, "
        f"a disk of {found.virtual_size} bytes",
    ]
    if whole:
        lines.append(f"  lost      {paint('good', 'nothing that its tables tell of')}")
    if found.as_imported is not None:
        told = paint("good", "what was imported, bit for bit")
        if not found.as_imported:
            told = paint("bad", "not what was imported")
        lines.append(f"  content   {told}")
    lines += [*_lost(found, paint), *_by_layer(found)]
    before = "not asked: too deep a chain for it"
    if found.before:
        before = _health(found.before)
    lines += [
        f"  check     before: {before}; after: {_health(found.after)}",
        f"  sha256    {found.image.sha256}",
    ]
    if not whole:
        lines.append("what runs on it may stumble over what is missing; it is never pristine again")
    return lines


def _lost(found: Salvaged, paint: Paint) -> Iterable[str]:
    if found.lost:
        told = f"{found.bytes_lost} bytes, {count(found.clusters_lost, 'cluster')}"
        yield f"  lost      {paint('bad', told)}: zeros now, or what a lower layer had"
        yield from _ranges(found.lost)
    if found.doubtful:
        size = sum(end - start for start, end in found.doubtful)
        yield f"  doubtful  {paint('warn', f'{size} bytes')} that two places of the disk claim"
        yield from _ranges(found.doubtful)


def _ranges(stretches: Stretches) -> Iterable[str]:
    yield from (f"    bytes {start} to {end - 1}" for start, end in stretches[:_MOST])
    if len(stretches) > _MOST:
        yield f"    and {len(stretches) - _MOST} more (--json has all)"


def _by_layer(found: Salvaged) -> Iterable[str]:
    for loss in found.losses[:_MOST]:
        yield (
            f"  layer     {clean(str(loss.path))}: {count(loss.clusters, 'cluster')}, "
            f"{count(loss.tables, 'table')} lost, {loss.doubled} claimed twice"
        )


def _health(health: Health) -> str:
    return (
        f"{health.standing.value} ({count(health.corruptions, 'corruption')}, "
        f"{count(health.leaks, 'leak')}, {count(health.errors, 'error')})"
    )
