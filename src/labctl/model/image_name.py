"""What an image's name says of a Nexus 9000v: family, product, release."""

from __future__ import annotations

import re
from dataclasses import dataclass

from labctl.model.release import Release


@dataclass(frozen=True, slots=True)
class NamePart:
    """A piece of the name as written, what it is, and what it tells."""

    text: str
    kind: str
    meaning: str


@dataclass(frozen=True, slots=True)
class ImageName:
    """What a name says. `product` is 9000v, 9300v, 9500v or NX-OSv, "" where it doesn't tell.

    `boot_image` is the file the device boots from its bootflash; `format` is the file's ending
    without the dot, "" for a name without one.
    """

    text: str
    family: str
    product: str
    release: Release
    bits: int
    lite: bool
    boot_image: str
    format: str
    parts: tuple[NamePart, ...]


_NAME = re.compile(
    r"(?P<family>nxosv9k|nxosv-final|nxosv|nexus9[35]00v|n9kv)(?:-(?P<eve>9[35]00v?))?(?P<b64>64)?"
    r"(?P<lite>-lite)?[-.](?P<version>\d+\.\d+\.\d+[a-z]?(?:\.I\d+(?:\.\d+[a-z]?)?)?(?:\.[FM])?)"
    r"(?P<ext>\.qcow2|\.vmdk|\.ova|\.box)?",
    re.I,
)


def parse_name(name: str) -> ImageName:
    """Raises ValueError for a name of no known scheme."""
    raise ValueError(f"{name!r} follows no naming scheme of Nexus 9000v images")
