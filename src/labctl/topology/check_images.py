"""Does the software that the file names run on the node's platform?"""

from __future__ import annotations

from collections.abc import Mapping

from labctl.model.fit import runs
from labctl.model.platform import Platform
from labctl.topology.document import Document, Path
from labctl.topology.expand import Draft, DraftNode


def check_images(draft: Draft, platforms: Mapping[str, Platform], document: Document) -> None:
    """Report names that are understood and are of another device's software.

    Where `software` is given the image's own name tells nothing.
    """
    for node in draft.nodes.values():
        name = node.software or node.image
        if node.name in draft.guessed_platform or runs(node.platform, name):
            continue
        fit = [platform.name for platform in platforms.values() if runs(platform, name)]
        message = f"{name!r} is no software of platform {node.platform.name}"
        document.report(_place(node), message, f"it is of {', '.join(fit)}")


def _place(node: DraftNode) -> Path:
    """Where the file says it: the node's own word, or the lab's."""
    key = "software" if node.software else "image"
    return (*node.path, key) if getattr(node.shape, key) else (key,)
