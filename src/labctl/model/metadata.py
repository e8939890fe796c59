"""labctl's own mark on domains and networks, and the one place that knows its XML form.

The mark is the record of what is there: a domain carries it as `<metadata>`, so that no state
file can drift from the hypervisor.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from xml.etree import ElementTree

METADATA_NS = "https://labctl.dev/xmlns/domain/1"
_TAG = "mark"
_FLOOR = "memory-floor"
_FIELDS = ("lab", "node", "role", "platform", "version", "spec")
# What can't stand in an attribute as it is; unescaped white space would come back as blanks.
_ESCAPES = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"}
    | {"\r": "&#13;", "\n": "&#10;", "\t": "&#09;"}
)
# XML 1.0, section 2.2: what can't stand in a document even as a character reference.
_FORBIDDEN = "[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
"""Slow to compile, and needed only for what is not printable anyway."""


class LabMetadata(NamedTuple):
    """labctl's own mark on a domain or network: <metadata>, namespace METADATA_NS.

    `digests` maps what determines the node (hardware, config, image) to its digest.
    `ports` maps interface name to (local UDP port, remote UDP port).
    `memory_floor` is what the node's software needs (MiB), 0 where the mark doesn't tell.
    On a network `node`, `role`, `platform` are "" and `ports` is empty.
    """

    lab: str
    node: str
    role: str
    platform: str
    version: str
    spec: str
    digests: Mapping[str, str] = MappingProxyType({})
    ports: Mapping[str, tuple[int, int]] = MappingProxyType({})
    memory_floor: int = 0


def to_xml(metadata: LabMetadata) -> str:
    """The mark as one XML element, fit for `<metadata>` and for virDomainSetMetadata.

    The namespace is the element's default one: libvirt 9 then takes the same text both ways.
    Raises ValueError for text that XML can't hold (control characters).
    """
    digests = [("digest", {"name": key, "value": it}) for key, it in metadata.digests.items()]
    ports = [
        ("port", {"interface": name, "local": str(local), "remote": str(remote)})
        for name, (local, remote) in metadata.ports.items()
    ]
    own = {name: getattr(metadata, name) for name in _FIELDS}
    if metadata.memory_floor:
        own[_FLOOR] = str(metadata.memory_floor)
    inside = "".join(f"<{_tag(name, values)} />" for name, values in (*digests, *ports))
    head = _tag(_TAG, {"xmlns": METADATA_NS, **own})
    text = f"<{head}>{inside}</{_TAG}>" if inside else f"<{head} />"
    if not text.isprintable() and (found := re.search(_FORBIDDEN, text)):
        raise ValueError(f"character {found.group()!r} can't stand in XML")
    return text


def from_element(element: ElementTree.Element) -> LabMetadata:
    """Read a mark back, with its namespace (domain XML) or without (virDomainGetMetadata).

    Raises ValueError for what is no mark of labctl's.
    """
    if _local(element) != _TAG:
        raise ValueError(f"<{element.tag}> is not labctl's <{_TAG}>")
    try:
        digests = {e.attrib["name"]: e.attrib["value"] for e in element if _local(e) == "digest"}
        ports = {
            e.attrib["interface"]: (int(e.attrib["local"]), int(e.attrib["remote"]))
            for e in element
            if _local(e) == "port"
        }
        return LabMetadata(
            **{name: element.attrib[name] for name in _FIELDS},
            digests=digests,
            ports=ports,
            memory_floor=int(element.get(_FLOOR, "0")),
        )
    except KeyError as error:
        raise ValueError(f"labctl's mark lacks {error}") from None


def _tag(name: str, attributes: Mapping[str, str]) -> str:
    """The inside of a tag. By hand: with ElementTree it took half as long as the machine's XML."""
    words = [f'{key}="{value.translate(_ESCAPES)}"' for key, value in attributes.items()]
    return " ".join((name, *words))


def _local(element: ElementTree.Element) -> str:
    return element.tag.removeprefix(f"{{{METADATA_NS}}}")
