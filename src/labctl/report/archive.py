"""What export wrote and import-lab brought up, in words."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from labctl.ops.results import ImportResult
from labctl.report.json import to_data
from labctl.report.paint import Paint, clean, duration, size
from labctl.report.up import up_data
from labctl.report.verify import verify_lines

if TYPE_CHECKING:
    from labctl.ops.export import ExportResult

_MILLISECONDS = 1000


def export_lines(result: ExportResult, _paint: Paint) -> list[str]:
    """What is in the archive, and what the other host must have."""
    name = f"snapshot {result.snapshot}"
    kinds = {True: f"{name} with memory", False: f"{name}, disks alone: it boots from them"}
    held = kinds[result.with_memory] if result.snapshot else "topology alone: it is built anew"
    lines = [
        f"{result.lab}: {held}; {size(result.content)} in {size(result.size)} "
        f"after {duration(result.seconds)}",
        f"  {clean(str(result.file))}",
    ]
    for image in result.images:
        where = "inside" if result.inside else "must be in the other host's store"
        lines.append(f"  golden image {image.name}, sha256 {image.sha256}: {where}")
    return lines


def import_data(result: ImportResult) -> dict[str, Any]:
    """The result for JSON."""
    data: dict[str, Any] = to_data(replace(result, up=None))
    return {**data, "up": up_data(result.up) if result.up else None}


def import_lines(result: ImportResult, paint: Paint) -> list[str]:
    """How the lab came to be here."""
    lines = [f"golden image {name} is in the store now" for name in result.images]
    lines.append(f"{result.lab}: {_how(result, paint)}")
    return [*lines, "", *verify_lines(result.verify, paint)] if result.verify else lines


def _how(result: ImportResult, paint: Paint) -> str:
    if not result.started:
        build = f"`labctl up {result.lab}` builds it anew"
        if not result.snapshot:
            return f"in place and off; {build}"
        restore = f"`labctl snapshot restore {result.lab} {result.snapshot}`"
        return f"in place and off; {restore} has it go on, {build}"
    if result.up is not None:
        return f"in place after {duration(result.seconds)}, then brought up"
    skew = f"{result.resume_skew * _MILLISECONDS:.0f} ms"
    return (
        f"{paint('good', 'goes on')} from snapshot {result.snapshot} after "
        f"{duration(result.seconds)}, all nodes within {skew}"
    )
