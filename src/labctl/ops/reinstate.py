"""A node put back as it was captured: its files, its definition, its memory.

In three strokes for a whole lab, so that all nodes go on at one instant: `place` each node's
files, `revive` each machine paused, then `labctl.ops.capture.together` resumes them.
"""

from __future__ import annotations

from pathlib import Path

from labctl.atomic import appearing
from labctl.errors import ConnectionLost, LabctlError, SnapshotError
from labctl.hypervisor.api import Hypervisor
from labctl.images.digest import file_digest
from labctl.images.transfer import copy
from labctl.model.paths import NodePaths
from labctl.model.snapshot import DEFINITION, DISK, MEMORY, Part


def damage(folder: Path, part: Part) -> tuple[str, ...]:
    """What is wrong with a part's files in `folder`/NODE, read whole; () when nothing is."""
    found = []
    for name, recorded in part.files.items():
        path = folder / part.node / name
        try:
            if path.stat().st_size != recorded.size:
                found.append(f"{path} has {path.stat().st_size} bytes instead of {recorded.size}")
            elif file_digest(path) != recorded.sha256:
                found.append(f"{path} was changed: its SHA-256 is another one")
        except OSError as error:
            found.append(f"{path}: {error.strerror}")
    return tuple(found)


def place(folder: Path, part: Part, files: NodePaths) -> None:
    """Put copies of the part's files where the node has its own; each appears whole.

    The machine must be off. Raises ImageError when they can't be copied.
    """
    targets = {
        DISK: files.overlay,
        files.day0.name: files.day0,
        files.variables.name: files.variables,
        files.console_log.name: files.console_log,
    }
    files.folder.mkdir(parents=True, exist_ok=True)
    files.warming.unlink(missing_ok=True)
    for name in set(targets) - set(part.files):
        targets[name].unlink(missing_ok=True)
    for name, target in targets.items():
        if name in part.files:
            with appearing(target, durable=False) as copied:
                copy(folder / part.node / name, copied)


def revive(hypervisor: Hypervisor, folder: Path, part: Part, xml: str) -> bool:
    """Start a placed node's machine from its memory, paused; False when it was off.

    `xml` is what it ran as, but for host files and ports. Raises SnapshotError when libvirt
    refuses.
    """
    memory = folder / part.node / MEMORY
    if MEMORY not in part.files:
        return False
    try:
        hypervisor.restore_memory(memory, xml)
    except ConnectionLost:
        raise
    except LabctlError as error:
        raise SnapshotError(
            f"{part.node}: {error.brief}",
            details=error.details,
            resolution="its memory was saved by another QEMU or for another machine; "
            "boot it instead: `labctl up`",
            causes=[error],
        ) from error
    return True


def kept_definition(folder: Path, part: Part) -> str:
    """The definition a part was captured with."""
    return (folder / part.node / DEFINITION).read_text()
