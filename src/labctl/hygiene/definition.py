"""A domain's definition pointed back to a node's own overlay. Pure."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement


def repointed(xml: str, target: str, overlay: Path, golden: Path) -> str:
    """The same machine with its disk `target` on `overlay`, which stands on `golden`.

    The golden image is named, with relabelling off, as labctl defines it: libvirt would take
    the file's ownership otherwise (facts: measured with libvirt 9.0).
    """
    root = ElementTree.fromstring(xml)
    for disk in root.iterfind("devices/disk"):
        found, source = disk.find("target"), disk.find("source")
        if found is None or source is None or found.get("dev") != target:
            continue
        source.set("file", str(overlay))
        source.attrib.pop("index", None)
        if (old := disk.find("backingStore")) is not None:
            disk.remove(old)
        disk.insert(list(disk).index(source) + 1, _backing(golden))
    return ElementTree.tostring(root, encoding="unicode")


def _backing(golden: Path) -> Element:
    store = Element("backingStore", {"type": "file"})
    SubElement(store, "format", {"type": "qcow2"})
    source = SubElement(store, "source", {"file": str(golden)})
    SubElement(source, "seclabel", {"model": "dac", "relabel": "no"})
    SubElement(store, "backingStore")
    return store
