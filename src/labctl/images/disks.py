"""Nodes' disks and the golden images below them, told by headers alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from labctl.errors import ImageError
from labctl.images.chain import chain
from labctl.images.qcow2 import Header, read_header
from labctl.images.store import NAMELESS, writable
from labctl.model.image import Image

Check = Callable[[Path], tuple[str, ...]]
_HEALTHY_DEPTH = 1


class NodeDisk(NamedTuple):
    """A node whose disk stands on an image."""

    lab: str
    node: str

    def __str__(self) -> str:
        return f"{self.lab}/{self.node}"


def standing_on(golden: Path, labs: Path) -> tuple[NodeDisk, ...]:
    """The nodes of all labs below `labs` whose disks stand on the file `golden`, at any depth.

    Running machines are not asked. A disk that can't be read stands on nothing that is known.
    """
    wanted = golden.resolve()
    return tuple(node for node, layers in _disks(labs) if wanted in layers)


def goldens_in_use(labs: Path) -> frozenset[Path]:
    """The files at the bottom of all disks below `labs`, those of snapshots too."""
    found = (_below(disk) for disk in labs.rglob("*.qcow2"))
    return frozenset(layers[-1] for layers in found if layers)


def _disks(labs: Path) -> Iterator[tuple[NodeDisk, list[Path]]]:
    """Every node's disk, and what it stands on, top first."""
    for overlay in sorted(labs.glob("*/nodes/*/disk.qcow2")):
        node = overlay.parent
        layers = _below(overlay)
        if layers:
            yield NodeDisk(node.parent.parent.name, node.name), layers


def _below(overlay: Path) -> list[Path]:
    """What `overlay` stands on, as far down as can be read; the file that is missing included."""
    layers: list[Path] = []
    path = overlay
    while True:
        try:
            backing = read_header(path).backing
            path = (path.parent / backing).resolve()
        except (ImageError, OSError, ValueError):  # ValueError: a name with a NUL in it
            return layers
        if not backing or path in layers:
            return layers
        layers.append(path)


def remedy(image: Image, problems: Iterable[str], labs: Iterable[str]) -> str:
    """The way from a damaged image back to `labs` on a whole one."""
    if all(problem == writable(image.path) for problem in problems):
        return f"`chmod a-w {image.path}`"
    steps = []
    named = not image.name.startswith(NAMELESS)
    if image.path.exists():
        what = image.name if named else image.path
        steps.append(f"put it aside as evidence: `labctl image quarantine {what}`")
    if named:
        steps.append(f"bring a good copy: `labctl image import FILE --name {image.name}`")
    steps += [f"make what stood on it anew: `labctl rebuild {lab}`" for lab in labs]
    return "; ".join(steps)


def disk_problems(overlay: Path, check_golden: Check) -> tuple[str, ...]:
    """What speaks against starting a machine on a disk that is there already.

    `check_golden` says what is wrong with the file at the bottom. libvirt starts a machine on a
    base that was changed, cut short or replaced, without a word (facts: measured on 9.0.0), so
    labctl looks.
    """
    try:
        layers = chain(overlay)
        top, base = read_header(overlay), read_header(layers[-1])
    except ImageError as error:
        return ("; ".join(filter(None, (error.brief, error.details))),)
    except OSError as error:
        return (f"{error.filename}: {error.strerror}",)
    problems = list(_of_headers(top, base, layers))
    if len(layers) > 1:
        problems += check_golden(layers[-1])
    return tuple(problems)


def _of_headers(top: Header, base: Header, layers: tuple[Path, ...]) -> Iterator[str]:
    depth = len(layers) - 1
    if depth == 0:
        yield f"{layers[0]} stands on no golden image"
    elif depth > _HEALTHY_DEPTH:
        yield f"its disk stands on {depth} layers instead of one: somebody put others between"
    if base.virtual_size != top.virtual_size:
        yield (
            f"its disk has {top.virtual_size} bytes, and {layers[-1].name} below it "
            f"{base.virtual_size}: not the image it was made on"
        )
    if top.corrupt:
        yield "its disk is marked corrupt"
