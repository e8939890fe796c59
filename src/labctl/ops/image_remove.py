"""Remove an image from the store: never from under a disk that stands on it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from labctl.errors import HypervisorError, ImageError, LabctlError
from labctl.images import admit
from labctl.images.disks import stands_on, users
from labctl.images.store import ImageStore
from labctl.model.image import Image
from labctl.model.paths import Home, LabPaths
from labctl.ops.context import Context
from labctl.ops.events import Notice
from labctl.ops.load import load_kept


@dataclass(frozen=True, slots=True)
class Removed:
    """A name that is gone; `freed` bytes with it, none where its file has other names."""

    name: str
    freed: int
    other_names: tuple[str, ...] = ()


def remove_image(ctx: Context, name: str) -> Removed:
    """Remove the name, and with the last one the file.

    Raises ImageError when there is no such image, a lab's topology names it, or disks of labs or of
    the hypervisor's domains stand on the file whose last name it is. They are looked for again once
    the name is gone: a lab that was brought up meanwhile gets its image back.
    """
    store = ImageStore(ctx.home.images)
    image = store.get(name)
    admit.sweep(store)
    others = tuple(other for other in admit.names_of(store, image) if other != name)
    if others:
        _refuse_if_named(ctx.home, name)
        admit.forget(store, image)
        return Removed(name, 0, others)
    domains = tuple(_domain_disks(ctx))
    _refuse_if_used(ctx, image, domains)
    _refuse_if_named(ctx.home, name)
    admit.forget(store, image)
    try:
        _refuse_if_used(ctx, image, domains)
    except ImageError:
        admit.remember(store, image)
        raise
    gone = admit.discard(store, image)
    return Removed(name, image.size if gone else 0)


def _refuse_if_used(ctx: Context, image: Image, domains: tuple[tuple[str, Path], ...]) -> None:
    labs = ctx.home.labs
    found = [f"disk {path.relative_to(labs)}" for path in users(image.path, labs)]
    for name, path in domains:
        if stands_on(path, image.path) is not False:
            found.append(f"domain {name}: {path}")
    if found:
        raise ImageError(
            f"image {image.name} is in use",
            details="\n".join(found),
            resolution="remove what stands on it first: `labctl destroy LAB`, or move it on to "
            "another image: `labctl rebuild LAB`",
        )


def _refuse_if_named(home: Home, name: str) -> None:
    """A lab can't be brought up or rebuilt once the name is gone that its nodes ask for."""
    if labs := tuple(_labs_naming(home, name)):
        raise ImageError(
            f"image {name} is named by the topology of {', '.join(labs)}",
            resolution="name another image there and `labctl up` it, or let it go: "
            f"`labctl destroy {labs[0]}`",
        )


def _labs_naming(home: Home, name: str) -> Iterator[str]:
    """Labs with a node of that image; a topology that can't be read names none."""
    for topology in sorted(home.labs.glob("*/topology.yaml")):
        with suppress(LabctlError, OSError, ValueError, LookupError):
            lab, _ = load_kept(LabPaths(topology.parent))
            if any(node.image == name for node in lab.nodes):
                yield lab.name


def _domain_disks(ctx: Context) -> Iterator[tuple[str, Path]]:
    """Disks of all domains of the hypervisor, labctl's or not; none where it can't be asked."""
    try:
        hypervisor = ctx.connect(ctx.uri)
    except HypervisorError as error:
        ctx.emit(Notice(f"only the labs of {ctx.home.labs} were looked at: {error.brief}"))
        return
    try:
        for domain in hypervisor.domains():
            yield from ((domain.name, Path(disk)) for disk in domain.disks if Path(disk).is_file())
    finally:
        hypervisor.close()
