"""What an image's name says, in words and for JSON."""

from __future__ import annotations

from typing import Any

from labctl.model.image_name import ImageName
from labctl.model.known_image import KnownImage
from labctl.report.paint import Paint, clean, table

_UNTOLD = "the name doesn't tell"


def name_data(name: ImageName) -> dict[str, Any]:
    """For JSON: what the name doesn't tell, or the release doesn't have, is None."""
    release = name.release
    return {
        "family": name.family,
        "product": name.product or None,
        "release": str(release),
        "train": _train(name) or None,
        "rebuild": release.rebuild or None,
        "maintenance": release.maintenance,
        "bits": name.bits or None,
        "lite": name.lite,
        "boot_image": name.boot_image or None,
        "format": name.format or None,
        "parts": name.parts,
    }


def name_lines(name: ImageName, known: KnownImage | None, paint: Paint) -> list[str]:
    """The pieces in a table, then what they add up to and what is published of the file."""
    rows = [(clean(part.text), part.kind, part.meaning) for part in name.parts]
    facts = {
        "family": name.family,
        "product": name.product or _UNTOLD,
        "release": str(name.release),
        "train": _train(name) or "none",
        "rebuild": f"{name.release.rebuild}{name.release.rebuild_letter}",
        "maintenance": f"{name.release.maintenance}{name.release.letter}",
        "bits": str(name.bits or _UNTOLD),
        "lite": "yes" if name.lite else "no",
        "boot image": name.boot_image or _UNTOLD,
        "format": name.format or "none",
        "published": _published(known),
    }
    if not name.release.train:
        facts["rebuild"] = "none"
    return [
        paint("bold", clean(name.text)),
        *table(("piece", "what", "meaning"), rows, paint, indent="  "),
        "",
        *(f"  {title:<11}  {text}" for title, text in facts.items()),
    ]


def _train(name: ImageName) -> str:
    return f"{name.release.train}{name.release.train_number}" if name.release.train else ""


def _published(known: KnownImage | None) -> str:
    if known is None:
        return "no size or MD5 known"
    return f"{known.size} bytes, MD5 {known.md5} ({known.source})"
