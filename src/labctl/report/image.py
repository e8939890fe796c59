"""Golden images, in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any

from labctl.model.image import Image, Provenance
from labctl.ops.image_import import Relatives, relatives
from labctl.ops.image_remove import Removed
from labctl.report.paint import Cell, Paint, clean, count, duration, size, table

_STYLES = {
    Provenance.PRISTINE: "good",
    Provenance.MODIFIED: "warn",
    Provenance.UNKNOWN: "",
    Provenance.SALVAGED: "bad",
}
_WORDS = {
    Provenance.PRISTINE: "the published {published}, byte for byte",
    Provenance.MODIFIED: "not the published {published}: booted from, converted or changed",
    Provenance.UNKNOWN: "no published file of that name or content is known",
    Provenance.SALVAGED: "put together from a damaged image",
}
_DAMAGED = "found damaged when it was last read: not the bytes that were imported"


def images_lines(images: Sequence[Image], now: datetime, paint: Paint) -> list[str]:
    """A table of all images; names that share a file are told."""
    if not images:
        return ["no images yet; `make guest` builds and imports the free one"]
    rows: list[list[str | Cell]] = [
        [
            image.name,
            size(image.size),
            size(image.virtual_size),
            image.sha256[:12],
            Cell(image.provenance.value, _STYLES[image.provenance]),
            Cell("damaged", "bad") if image.found_damaged else _ago(image.verified, now),
            ", ".join(relatives(image, images).same_file),
        ]
        for image in images
    ]
    head = ("image", "size", "disk", "sha256", "provenance", "verified", "same file as")
    return table(head, rows, paint)


def imported_data(image: Image, related: Relatives) -> dict[str, Any]:
    """An image and its relatives, for JSON."""
    return {**{key.name: getattr(image, key.name) for key in fields(image)}, **asdict(related)}


def imported_lines(image: Image, related: Relatives, paint: Paint) -> list[str]:
    """All that is known of one image."""
    what = _WORDS[image.provenance].format(published=image.published)
    provenance = paint(_STYLES[image.provenance], image.provenance.value)
    facts = {
        "file": str(image.path),
        "sha256": image.sha256,
        "content": image.content or "not known: imported by an older labctl",
        "size": f"{size(image.size)}, disk of {size(image.virtual_size)}",
        "imported": f"{image.imported} from {clean(image.source) or 'unknown'}",
        "given": _given(image),
        "provenance": f"{provenance}: {what}",
        "verified": paint("bad", _DAMAGED) if image.found_damaged else image.verified,
        "leaks": f"{count(image.leaks, 'cluster')} that nothing uses" if image.leaks else "",
        "same file": ", ".join(related.same_file),
        "same disk": ", ".join(related.same_disk)
        + (", converted or compacted" if related.same_disk else ""),
    }
    lines = [f"  {title:<10}  {text}" for title, text in facts.items() if text]
    return [paint("bold", image.name), *lines]


def shown_data(image: Image, related: Relatives, disks: Sequence[str]) -> dict[str, Any]:
    """As `imported_data`, with the disks that stand on it."""
    return {**imported_data(image, related), "disks": list(disks)}


def shown_lines(image: Image, related: Relatives, disks: Sequence[str], paint: Paint) -> list[str]:
    """As `imported_lines`, with the disks that stand on it."""
    lines = imported_lines(image, related, paint)
    if not disks:
        return [*lines, "  no lab's disk stands on it"]
    return [*lines, "  on it stand:", *(f"    {clean(disk)}" for disk in disks)]


def removed_lines(removed: Removed) -> list[str]:
    """What is gone."""
    if removed.other_names:
        return [f"{removed.name} removed; its file stays as {', '.join(removed.other_names)}"]
    return [f"{removed.name} removed: {size(removed.freed)} freed"]


def _ago(verified: str, now: datetime) -> str:
    """When it was last read whole."""
    return f"{duration((now - datetime.fromisoformat(verified)).total_seconds())} ago"


def _given(image: Image) -> str:
    """The file it came from; nothing where that is the image's own."""
    given = image.given
    digests = [given.sha256 and f"SHA-256 {given.sha256}", given.md5 and f"MD5 {given.md5}"]
    if given.sha256 == image.sha256:
        digests = digests[1:]
    elif not given.size:
        return ""
    what = f"{given.format} of {given.size} bytes"
    flattened = "made one with what it stood on" if given.flattened else ""
    return ", ".join(filter(None, (what, *digests, flattened)))
