"""Nodes' disks and the golden images below them, told by headers alone."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from labctl.errors import ImageError
from labctl.images.chain import HEALTHY_DEPTH, Walk, chain, walk
from labctl.images.qcow2 import Header, read_header
from labctl.images.store import NAMELESS, writable
from labctl.model.image import Image

Check = Callable[[Path], tuple[str, ...]]


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
    overlays = sorted(labs.glob("*/nodes/*/disk.qcow2"))
    folders = [path.parent for path in overlays if stands_on(path, golden)]
    return tuple(NodeDisk(node.parent.parent.name, node.name) for node in folders)


def users(golden: Path, labs: Path) -> tuple[Path, ...]:
    """Every disk below `labs` that stands on the file `golden`, snapshots' copies too.

    One that can't be read, or is no qcow2 file any more, is counted: what it needs is not known.
    """
    return tuple(
        path
        for path in sorted(labs.rglob("*.qcow2"))
        if not _is_qcow2(found := walk(path)) or _has(found, golden) is not False
    )


def stands_on(disk: Path, golden: Path) -> bool | None:
    """Whether the file `golden` is the disk, or among its layers, as far down as they are there.

    None where a layer is there and can't be read: then it isn't known.
    """
    return _has(walk(disk), golden)


def goldens_in_use(labs: Path) -> frozenset[Path]:
    """The files at the bottom of all disks below `labs`, those of snapshots too."""
    found = (_resolved(walk(disk)) for disk in labs.rglob("*.qcow2"))
    return frozenset(layers[-1] for layers in found if len(layers) > 1)


def _is_qcow2(found: Walk) -> bool:
    return bool(found.steps) and found.steps[0].header is not None


def _has(found: Walk, golden: Path) -> bool | None:
    if golden.resolve() in _resolved(found):
        return True
    broken = found.broken
    unread = broken is not None and isinstance(broken.error, OSError) and not broken.missing
    return None if unread else False


def _resolved(found: Walk) -> list[Path]:
    return [Path(os.path.realpath(path)) for path in found.paths]


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
    elif depth > HEALTHY_DEPTH:
        yield f"its disk stands on {depth} layers instead of one: somebody put others between"
    if base.virtual_size != top.virtual_size:
        yield (
            f"its disk has {top.virtual_size} bytes, and {layers[-1].name} below it "
            f"{base.virtual_size}: not the image it was made on"
        )
    if top.corrupt:
        yield "its disk is marked corrupt"
