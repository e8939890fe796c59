"""An image as its publisher has it, and what comparing a file with it proves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from labctl.model.image import Provenance
from labctl.model.image_name import ImageName, parse_name


@dataclass(frozen=True, slots=True)
class KnownImage:
    """A published image file: a copy of other size or MD5 was changed, or is another file."""

    file: str
    size: int
    """In bytes."""
    md5: str
    """32 hexadecimal digits, lower case."""
    source: str
    """Who tells size and MD5."""


def compare(
    names: Iterable[str], size: int, md5: str, known: Mapping[str, KnownImage]
) -> tuple[Provenance, str]:
    """What a file of that size and MD5 is, and the published file that tells, "" if none does.

    A published file is recognised whatever it is called now; `names` are those it goes by, in any
    letter case and scheme. `known` is by file name in lower case.
    """
    for image in known.values():
        if (image.size, image.md5) == (size, md5):
            return Provenance.PRISTINE, image.file
    if named := _named(names, known):
        nearest = min(named, key=lambda image: abs(image.size - size))
        return Provenance.MODIFIED, nearest.file
    return Provenance.UNKNOWN, ""


def may_be(names: Iterable[str], size: int, known: Mapping[str, KnownImage]) -> bool:
    """Whether `compare` needs an MD5: a published file has one of the names, or the size."""
    return any(image.size == size for image in known.values()) or bool(_named(names, known))


def _named(names: Iterable[str], known: Mapping[str, KnownImage]) -> list[KnownImage]:
    """The published files that one of `names` means; several where it leaves the product open."""
    for name in names:
        if image := known.get(name.lower()):
            return [image]
    meant = [parsed for name in names if (parsed := _parsed(name))]
    return [
        image
        for image in known.values()
        if (other := _parsed(image.file)) and any(_same(mine, other) for mine in meant)
    ]


def _parsed(name: str) -> ImageName | None:
    try:
        return parse_name(name)
    except ValueError:
        return None


def _same(one: ImageName, other: ImageName) -> bool:
    """Whether both can be names of one image; what either leaves open may be anything."""
    release = replace(one.release, kind=one.release.kind or other.release.kind)
    return (
        (release, one.lite) == (other.release, other.lite)
        and (not one.product or not other.product or one.product == other.product)
        and (not one.bits or not other.bits or one.bits == other.bits)
    )
