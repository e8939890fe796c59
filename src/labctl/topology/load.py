"""The topology file as a Lab, or everything that is wrong with it at once."""

from __future__ import annotations

from collections.abc import Mapping

from labctl.errors import TopologyError
from labctl.model.lab import Lab
from labctl.model.platform import Platform
from labctl.topology.assemble import ReadFile, assemble
from labctl.topology.check_addresses import check_addresses
from labctl.topology.check_fabric import check_fabric
from labctl.topology.check_links import check_links
from labctl.topology.check_nodes import check_nodes
from labctl.topology.document import Document, Path, parse
from labctl.topology.expand import check_platform, expand
from labctl.topology.schema import TopologyFile
from labctl.topology.shape import validate

_HARMLESS = frozenset(
    ("memory", "vcpus", "image", "config", "hypervisor", "loopback", "vtep", "asn")
)
"""Fields of a node that can be left out without other problems following from it."""


def load(
    text: str,
    *,
    source: str,
    platforms: Mapping[str, Platform],
    read_file: ReadFile | None = None,
) -> Lab:
    """Read a topology file's text; `source` names it in messages.

    `read_file` returns the text of a file that the topology refers to, by the path written
    there; without it, such a reference is a problem. Raises TopologyError with every problem.
    """
    document = parse(text, source)
    lab = _load(document, platforms, read_file)
    if lab is None or document.problems:
        raise TopologyError(list(dict.fromkeys(document.problems)))
    return lab


def _load(
    document: Document, platforms: Mapping[str, Platform], read_file: ReadFile | None
) -> Lab | None:
    """As much of the lab as the file lets one see; what is wrong is in the document's problems."""
    if document.root.value is None:
        if not document.problems:
            document.report((), "the file is empty", "`labctl new` writes one to start from")
        return None
    file, dropped = validate(TopologyFile, document, {"lab": "lab"})
    if file is None:
        return None
    check_fabric(file, document)
    check_platform(file, platforms, document)
    if not all(_is_harmless(path) for path in dropped):
        return None
    draft = expand(file, platforms, document)
    draft.complete = not draft.unusable and not any(_is_part(path) for path in dropped)
    check_nodes(file, draft, document)
    check_links(file.fabric.underlay.routing, draft, document)
    lab = assemble(file, draft, document, read_file)
    check_addresses(file, lab, draft, document)
    return lab


def _is_part(path: Path) -> bool:
    """Whether what was at `path` can be missed by other parts of the file."""
    return path[0] == "links" or path[:2] == ("fabric", "vrfs")


def _is_harmless(path: Path) -> bool:
    """Whether the nodes are still the same without the value at `path`."""
    match path:
        case ("nodes", _, field, *_):
            return field in _HARMLESS
        case ("fabric", "addressing" | "underlay" | "overlay" | "vrfs", *_):
            return True
        case ("lab" | "image" | "links" | "management" | "host", *_):
            return True
        case _:
            return False
