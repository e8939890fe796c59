"""Read golden images whole, and say who stands on the damaged ones."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from labctl.images.disks import NodeDisk, goldens_in_use, standing_on
from labctl.images.store import ImageStore
from labctl.model.image import Image
from labctl.model.paths import Home

_WIDTH = 4
"""Files read at once: enough to keep disk and CPUs busy, few enough to read in long stretches."""


@dataclass(frozen=True, slots=True)
class Verified:
    """One image, read whole: what is wrong, which nodes stand on it, what to do."""

    image: Image
    problems: tuple[str, ...] = ()
    nodes: tuple[NodeDisk, ...] = ()
    resolution: str = ""


def verify_images(home: Home, names: Sequence[str] = ()) -> tuple[Verified, ...]:
    """Read the images of those names, or all: those too that only nodes stand on.

    Several files at once, each file once however many names it has. Raises ImageError for a name
    that isn't there.
    """
    store = ImageStore(home.images)
    images = [store.get(name) for name in names] if names else _all(store, home)
    once = {image.sha256: image for image in images}
    with ThreadPoolExecutor(min(_WIDTH, os.cpu_count() or 1)) as pool:
        found = dict(zip(once, pool.map(store.verify, once.values()), strict=True))
    return tuple(_verified(image, found[image.sha256], home) for image in images)


def _all(store: ImageStore, home: Home) -> list[Image]:
    named = list(store.list())
    known = {image.path.resolve() for image in named}
    in_store = {path.resolve() for path in home.images.glob("sha256-*.qcow2")}
    nameless = sorted(goldens_in_use(home.labs) & in_store - known)
    return [*named, *map(store.of_file, nameless)]


def _verified(image: Image, problems: tuple[str, ...], home: Home) -> Verified:
    if not problems:
        return Verified(image)
    nodes = standing_on(image.path, home.labs)
    labs = dict.fromkeys(disk.lab for disk in nodes)
    return Verified(image, problems, nodes, what_to_do(image.name, labs))


def what_to_do(name: str, labs: Sequence[str] | dict[str, None]) -> str:
    """The way from a damaged image back to labs on a whole one."""
    steps = [
        f"`labctl image quarantine {name}` puts it aside as evidence",
        f"`labctl image import FILE --name {name}` brings a good copy",
        *(f"`labctl rebuild {lab}` makes what stood on it anew" for lab in labs),
    ]
    return "; ".join(steps)
