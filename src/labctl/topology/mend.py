"""What becomes of keys that a shape doesn't have.

A misspelt key counts as the one that was meant. Where nobody can tell what was meant, what may
have been is noted as left out, so that no check blames what only follows from that.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from labctl.topology.document import Document, Item, Path
from labctl.topology.suggest import hint_at

_KINDS: Mapping[str, type] = {
    **dict.fromkeys(("spines", "leaves", "borders", "hosts_per_leaf"), int),
    **dict.fromkeys(("fabric", "nodes"), dict),
    **dict.fromkeys(("links", "vrfs", "networks", "on"), list),
    "role": str,
}
"""Keys whose absence is noticed elsewhere in the file, and what they hold."""


def settle_unknown(
    document: Document, path: Path, mapping: dict[str, tuple[int, Item]], known: Collection[str]
) -> set[str]:
    """Report the unknown keys of the mapping at `path`, and leave them out of it.

    Those that are misspelt get the name that was meant, where it is free: their new names.
    """
    renamed: set[str] = set()
    lost: list[tuple[str, Item]] = []
    for key in [key for key in mapping if key not in known]:
        meant = document.nearest(key, known)
        hint = hint_at(meant, known)
        document.report((*path, key), f"unknown key {key!r}", hint, key=True)
        entry = mapping.pop(key)
        if meant and meant not in mapping:
            mapping[meant] = entry
            renamed.add(meant)
        else:
            lost.append((key, entry[1]))
    free = [key for key in known if key not in mapping]
    document.dropped.update((*path, key) for key, _ in lost)
    document.dropped.update((*path, key) for _, item in lost for key in _may_be(item, free))
    return renamed


def _may_be(item: Item, free: Collection[str]) -> Collection[str]:
    """What an unknown key may have been meant for, by its value."""
    return [key for key, kind in _KINDS.items() if key in free and isinstance(item.value, kind)]
