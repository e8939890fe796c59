"""Golden images, in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from labctl.model.image import Image
from labctl.report.paint import Cell, Paint, clean, table

Findings = Sequence[tuple[Image, Sequence[str]]]


def images_lines(images: Sequence[Image], paint: Paint) -> list[str]:
    """A table of all images."""
    if not images:
        return ["no images yet; `make guest` builds and imports the free one"]
    rows: list[list[str | Cell]] = [
        [
            image.name,
            _size(image.size),
            _size(image.virtual_size),
            image.sha256[:12],
            image.imported,
        ]
        for image in images
    ]
    return table(("image", "size", "disk", "sha256", "imported"), rows, paint)


def image_lines(image: Image, paint: Paint) -> list[str]:
    """All that is known of one image."""
    return [
        paint("bold", image.name),
        f"  file      {image.path}",
        f"  sha256    {image.sha256}",
        f"  size      {_size(image.size)}, disk of {_size(image.virtual_size)}",
        f"  imported  {image.imported} from {image.source or 'unknown'}",
        f"  verified  {image.verified}",
    ]


def verified_data(findings: Findings) -> dict[str, Any]:
    """What verification found, for JSON."""
    return {"images": [{"name": image.name, "problems": list(wrong)} for image, wrong in findings]}


def verified_lines(findings: Findings, paint: Paint) -> list[str]:
    """A line per image, and what is wrong with it."""
    if not findings:
        return ["no images to verify"]
    lines = []
    for image, wrong in findings:
        lines.append(
            f"{image.name}: {paint('bad', 'damaged') if wrong else paint('good', 'whole')}"
        )
        lines += [f"  {clean(line)}" for line in wrong]
    return lines


def _size(number: int) -> str:
    mebibytes = number / 1024**2
    return f"{mebibytes / 1024:.1f} GiB" if mebibytes >= 1024 else f"{mebibytes:.1f} MiB"
