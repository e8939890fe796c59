"""Published images from lab/images.yaml, checked as they are read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from labctl.errors import TopologyError
from labctl.model.image_name import parse_name
from labctl.model.known_image import KnownImage
from labctl.topology.document import Document
from labctl.topology.reader import parse
from labctl.topology.record import read_list, read_mapping, read_record, read_scalar

KNOWN_IMAGES = Path(__file__).parent.parent / "lab" / "images.yaml"


def _text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError("must be text")
    return value


def _file(value: object) -> str:
    return parse_name(_text(value)).text


def _bytes(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError(f"must be a whole number of bytes from 1, not {value!r}")
    return value


def _md5(value: object) -> str:
    if not re.fullmatch("[0-9a-f]{32}", text := _text(value)):
        raise ValueError(f"{text!r} is no MD5: 32 hexadecimal digits in lower case")
    return text


_IMAGE = {
    "file": read_scalar(_file),
    "bytes": read_scalar(_bytes),
    "md5": read_scalar(_md5),
}
_FILE = {"source": read_scalar(_text), "images": read_list(read_mapping(_IMAGE))}


def load_known_images(path: Path = KNOWN_IMAGES) -> Mapping[str, KnownImage]:
    """Every published image by its file name in lower case.

    Raises TopologyError naming line and column of all that is wrong.
    """
    document = parse(path.read_text(encoding="utf-8", errors="surrogateescape"), str(path))
    images = _load(document)
    if document.problems:
        raise TopologyError(document.problems)
    return images


def _load(document: Document) -> dict[str, KnownImage]:
    values: dict[str, Any] = {}
    try:
        values = read_record(document, (), document.root, _FILE)
    except ValueError as error:
        document.report((), str(error))
    if document.problems:
        return {}
    images: dict[str, KnownImage] = {}
    for index, value in enumerate(values["images"]):
        image = KnownImage(value["file"], value["bytes"], value["md5"], values["source"])
        for field, other in _same(image, images.values()):
            document.report(("images", index, field), f"{field} is that of {other.file} too")
        images[image.file.lower()] = image
    return images


def _same(image: KnownImage, others: Iterable[KnownImage]) -> Iterator[tuple[str, KnownImage]]:
    """What should be an image's alone and is another's too."""
    for other in others:
        if other.file.lower() == image.file.lower():
            yield "file", other
        if other.md5 == image.md5:
            yield "md5", other
