"""What an image's name says, in words and for JSON."""

from __future__ import annotations

from typing import Any

from labctl.model.fit import fitted, rule_for, with_most_ports
from labctl.model.image_name import ImageName
from labctl.model.known_image import KnownImage
from labctl.model.platform import Platform
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


def node_lines(name: ImageName, platform: Platform) -> list[str]:
    """What labctl makes of the name for a node: its platform, and what it then has."""
    image = name.text
    needs, most = fitted(platform, image, 0), with_most_ports(platform, image).interfaces.maximum
    ports = needs.interfaces.maximum
    facts = {
        "platform": platform.name,
        "memory": f"{_size(needs.memory)} by default",
        "floor": f"{_size(needs.memory_floor)}: {needs.memory_floor_source}",
        "vCPUs": str(needs.vcpus),
        "ports": str(ports),
    }
    if rule_for(platform, image, 0) is None:
        facts = {"release": "not known to labctl: the strictest floor holds", **facts}
    elif most > ports:
        large = fitted(platform, image, ports + 1)
        facts["ports"] += (
            f"; a 9500v up to {most}, and above {ports} needs {_size(large.memory)} "
            f"and {large.vcpus} vCPUs"
        )
    return ["", "  a node on it:", *(f"  {title:<11}  {text}" for title, text in facts.items())]


def _size(mebibytes: int) -> str:
    return f"{mebibytes / 1024:g} GiB"


def _train(name: ImageName) -> str:
    return f"{name.release.train}{name.release.train_number}" if name.release.train else ""


def _published(known: KnownImage | None) -> str:
    if known is None:
        return "no size or MD5 known"
    return f"{known.size} bytes, MD5 {known.md5} ({known.source})"
