"""Read golden images whole, and say who stands on the damaged ones."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Lock

from labctl.images.disks import NodeDisk, goldens_in_use, remedy, standing_on
from labctl.images.store import ImageStore
from labctl.images.told import Told
from labctl.model.image import Image
from labctl.model.paths import Home
from labctl.ops.context import silent
from labctl.ops.events import EventSink, Progress

_WIDTH = 4
"""Files read at once: enough to keep disk and CPUs busy, few enough to read in long stretches."""


@dataclass(frozen=True, slots=True)
class Verified:
    """One image, read whole: what is wrong, which nodes stand on it, what to do."""

    image: Image
    problems: tuple[str, ...] = ()
    nodes: tuple[NodeDisk, ...] = ()
    resolution: str = ""


def verify_images(
    home: Home, names: Sequence[str] = (), emit: EventSink = silent
) -> tuple[Verified, ...]:
    """Read the images of those names, or all: those too that only nodes stand on.

    Several files at once, each file once however many names it has. Raises ImageError for a name
    that isn't there.
    """
    store = ImageStore(home.images)
    images = [store.get(name) for name in names] if names else _all(store, home)
    once = {image.sha256: image for image in images}
    progress = _Progress(once.values(), emit)

    def verify(image: Image) -> tuple[str, ...]:
        return store.verify(image, told=progress.of(image))

    with ThreadPoolExecutor(min(_WIDTH, os.cpu_count() or 1)) as pool:
        found = dict(zip(once, pool.map(verify, once.values()), strict=True))
    return tuple(_verified(image, found[image.sha256], home) for image in images)


class _Progress:
    """How far all files are together; told from several threads."""

    def __init__(self, images: Iterable[Image], emit: EventSink) -> None:
        self._total = sum(image.size for image in images)
        self._done: dict[str, int] = {}
        self._emit = emit
        self._mutex = Lock()

    def of(self, image: Image) -> Told:
        """Hears how far the file of `image` is."""

        def told(_step: str, done: int, _total: int) -> None:
            with self._mutex:
                self._done[image.sha256] = done
                # A damaged file may be longer than it was.
                so_far = min(sum(self._done.values()), self._total)
                self._emit(Progress("verify", so_far, self._total))

        return told


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
    return Verified(image, problems, nodes, remedy(image, problems, labs))
