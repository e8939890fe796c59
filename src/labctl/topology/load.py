"""The topology file as a Lab, or everything that is wrong with it at once."""

from __future__ import annotations

from collections.abc import Mapping

from labctl.errors import TopologyError
from labctl.model.lab import Lab
from labctl.model.platform import Platform
from labctl.topology.assemble import ReadFile, assemble
from labctl.topology.check_addresses import check_addresses
from labctl.topology.check_externals import check_externals
from labctl.topology.check_fabric import check_fabric, networks_of
from labctl.topology.check_images import check_images
from labctl.topology.check_links import check_links
from labctl.topology.check_nexus import check_nexus
from labctl.topology.check_nodes import check_nodes
from labctl.topology.check_pairs import check_pairs
from labctl.topology.document import Document, Path
from labctl.topology.expand import check_platform, expand
from labctl.topology.kinds import Unusable, read_part
from labctl.topology.reader import parse
from labctl.topology.schema import TopologyFile
from labctl.topology.suggest import nearest

_LOOKED_AT = 20
"""Keys looked at to tell whether a text is meant to be a topology file."""


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
    if not _is_topology(document):
        hint = "`labctl new` writes one to start from"
        document.problems.clear()
        document.report((), f"this does not look like a topology file: {_what(document)}", hint)
        return None
    try:
        file, _ = read_part(TopologyFile, document, (), document.root)
    except Unusable:
        return None
    check_fabric(file, document)
    check_platform(file, platforms, document)
    draft = expand(file, platforms, document)
    draft.complete = not draft.unusable and not any(map(_is_part, document.dropped))
    draft.knows_networks = not any(map(_is_of_networks, document.dropped)) and not any(
        document.is_guess((*path, "name")) for path, _ in networks_of(file.fabric)
    )
    check_nodes(file, draft, document)
    check_links(file.fabric, draft, document)
    check_images(draft, platforms, document)
    check_nexus(file, draft, document)
    check_pairs(file, draft, document)
    check_externals(file, draft, document)
    lab = assemble(file, draft, document, read_file)
    check_addresses(file, lab, draft, document)
    return lab


def _is_topology(document: Document) -> bool:
    """Whether the text is a mapping with any key of a topology file, misspelt perhaps."""
    root, known = document.root.value, TopologyFile.fields
    if not isinstance(root, dict):
        return False
    return any(key in known for key in root) or any(
        nearest(key, known) for key in list(root)[:_LOOKED_AT]
    )


def _what(document: Document) -> str:
    """What a text that is no topology file is instead."""
    match document.root.value:
        case dict():
            return "none of its keys is one of a topology file's, such as lab, fabric or nodes"
        case list():
            return "a list, where keys such as lab, fabric and nodes are wanted"
        case _:
            return "a single value, where keys such as lab, fabric and nodes are wanted"


def _is_part(path: Path) -> bool:
    """Whether nodes or wires may be missing without the value at `path`."""
    match path:
        case ("nodes", _, field, *_):
            return field in ("role", "platform")
        case ("fabric", field, *_):
            return field in ("spines", "leaves", "borders", "hosts_per_leaf")
        case _:
            return path[0] in ("fabric", "nodes", "links", "platform")


def _is_of_networks(path: Path) -> bool:
    """Whether it is uncertain who has which network without the value at `path`."""
    return "networks" in path or path[:2] == ("fabric", "vrfs") or path == ("fabric",)
