"""Looking at an image without a word to it: headers, structure checks, digests.

Only reads. Damage is a finding and raises nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from labctl.errors import LabctlError
from labctl.images import qemu_img
from labctl.images.contents import Reading, read_contents
from labctl.images.layers import walk
from labctl.images.origin import origin_of_file, origin_of_stored
from labctl.model.image import Image, Provenance
from labctl.model.image_name import ImageName
from labctl.model.inspection import (
    Chain,
    Contents,
    Findings,
    Firmware,
    Layer,
    LayerCheck,
    Origin,
)
from labctl.model.known_image import KnownImage
from labctl.model.name_parts import NamePart
from labctl.model.text import printable

MOST_CHECKED = 32
"""Layers checked each by itself; of a longer chain the top and the lowest alone."""
_NO_CHECK = "qemu-img checks only qcow2 and vmdk"
_CHECKED = ("qcow2", "vmdk")
_UNSUPPORTED = "does not support checks"
_MOST_WORDS = 100
"""Lines of a check kept: a file with a ruined table has one for each of its clusters."""


class Subject(NamedTuple):
    """What to look at: a file, and the store's image where it is one."""

    path: Path
    name: str
    claims: ImageName | None
    image: Image | None = None
    firmware: Firmware = Firmware(needed=False, there=None)


def look(
    subject: Subject, known: Mapping[str, KnownImage], reading: Reading | None = None
) -> Findings:
    """All that is found; `reading` asks for what is on the disk too.

    Raises ImageError when the file can't be read at all, or a program for it is missing.
    """
    path = subject.path.absolute()
    chain = _with_size(walk(path), path)
    checks, unchecked = check_layers(chain)
    in_use = checks[0].standing == "in use"
    return Findings(
        path=printable(str(path)),
        name=printable(subject.name),
        claims=str(subject.claims.release) if subject.claims else "",
        name_parts=_parts(subject.claims),
        origin=_origin(subject, chain, known, deep=reading is not None),
        chain=chain,
        checks=checks,
        looked=datetime.now(UTC).isoformat(timespec="seconds"),
        unchecked=unchecked,
        in_use=in_use,
        firmware=subject.firmware,
        contents=_contents(path, chain, reading, in_use=in_use) if reading else None,
    )


def _parts(claims: ImageName | None) -> tuple[NamePart, ...]:
    parts = claims.parts if claims else ()
    return tuple(part._replace(text=printable(part.text)) for part in parts)


def _contents(path: Path, chain: Chain, reading: Reading, *, in_use: bool) -> Contents:
    if in_use:
        problem = "not read: a running machine writes to it; stop that machine first"
        return Contents(layer=chain.layers[0].path, problem=problem)
    return read_contents(path, chain, reading)


def check_layers(chain: Chain) -> tuple[tuple[LayerCheck, ...], str]:
    """Each layer checked by itself, top first; and why some were left out.

    None is opened with what it stands on: QEMU takes a minute for 1,847 layers, and a broken
    chain it opens not at all.
    """
    chosen, left_out = chain.layers, ""
    if len(chosen) > MOST_CHECKED:
        chosen = (chosen[0], chosen[-1])
        left_out = f"{len(chain.layers)} layers: only the top and the lowest were checked"
    return tuple(map(_check, chosen)), left_out


def _check(layer: Layer) -> LayerCheck:
    if layer.format not in _CHECKED:
        return LayerCheck(layer.path, "not checked", words=f"{layer.format}: {_NO_CHECK}")
    if layer.data_file:
        return LayerCheck(layer.path, "not checked", words="its data is in another file")
    if "�" in layer.path:
        return LayerCheck(layer.path, "not checked", words="its name can't be given to QEMU")
    try:
        health = qemu_img.examine(Path(layer.path), layer.format, alone=layer.format == "qcow2")
    except LabctlError as error:
        return LayerCheck(layer.path, "not checked", words=error.brief)
    if _is_locked(health):
        words = "a running machine has it open; its header was read all the same"
        return LayerCheck(layer.path, "in use", words=words)
    if _UNSUPPORTED in health.words:
        return LayerCheck(layer.path, "not checked", words=f"{layer.format}: {_NO_CHECK}")
    counts = (health.corruptions, health.leaks, health.errors)
    return LayerCheck(layer.path, str(health.standing), *counts, _lines(health.words))


def _lines(words: str) -> str:
    return "\n".join(printable(line) for line in words.splitlines()[:_MOST_WORDS])


def _is_locked(health: qemu_img.Health) -> bool:
    """QEMU's words when another QEMU has the file open (block/file-posix.c)."""
    return "Failed to get" in health.words and "lock" in health.words


def _with_size(chain: Chain, path: Path) -> Chain:
    """Formats that are not read here are asked of QEMU for their virtual size."""
    top = chain.layers[0]
    if top.format != "vmdk":
        return chain
    try:
        size = int(qemu_img.info(path, top.format)["virtual-size"])
    except LabctlError as error:
        return Chain((top._replace(problems=(f"QEMU can't open it: {error.details}",)),))
    return Chain((top._replace(virtual_size=size),))


def _origin(
    subject: Subject, chain: Chain, known: Mapping[str, KnownImage], *, deep: bool
) -> Origin:
    try:
        if subject.image is not None:
            return origin_of_stored(subject.image, chain.layers[0], deep=deep)
        return origin_of_file(subject.path, chain, known, deep=deep)
    except OSError as error:
        return Origin(Provenance.UNKNOWN, how=f"not read: {error.strerror}")
