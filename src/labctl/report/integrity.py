"""What reading images whole came to, in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from labctl.ops.integrity import Verified
from labctl.report.paint import Paint, clean


def verified_data(found: Sequence[Verified]) -> dict[str, Any]:
    """What verification found, for JSON."""
    return {
        "images": [
            {
                "name": one.image.name,
                "path": one.image.path,
                "problems": one.problems,
                "nodes": one.nodes,
                "resolution": one.resolution,
            }
            for one in found
        ]
    }


def verified_lines(found: Sequence[Verified], paint: Paint) -> list[str]:
    """A line per image, and of a damaged one what is wrong, who stands on it, what to do."""
    if not found:
        return ["no images to verify"]
    lines = []
    for one in found:
        word = paint("bad", "damaged") if one.problems else paint("good", "whole")
        lines.append(f"{one.image.name}: {word}")
        lines += [f"  {clean(line)}" for line in one.problems]
        if one.problems:
            nodes = ", ".join(map(str, one.nodes)) or "no node"
            lines += [f"  stands on it: {clean(nodes)}", f"  {clean(one.resolution)}"]
    return lines
