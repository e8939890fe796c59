"""What `labctl render` leaves on disk: a folder of XML and day-0 files, whole or not at all.

DIR/network.xml                  the management network, where there is one
DIR/nodes/NODE/domain.xml        the machine
DIR/nodes/NODE/day0/FILE         what is on the node's day-0 medium
DIR/.labctl-render               the lab's name: marks the folder as ours to replace
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from labctl.errors import UsageError
from labctl.model.desired import DesiredNode

_MARKER = ".labctl-render"


def write_nodes(
    lab: str, nodes: Iterable[DesiredNode], network_xml: str, folder: Path
) -> list[str]:
    """Write a rendered lab into `folder`, replacing what an earlier render left there.

    Takes the nodes one by one as they are rendered, so that the lab need not fit into memory.
    Made beside `folder` and moved into place at the end. Returns the files' names below `folder`,
    in order. Raises UsageError when `folder` holds
    something else than a rendering, or can't be written.
    """
    folder = folder.absolute()
    try:
        _refuse_foreign(folder)
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{folder.name}.", dir=folder.parent) as scratch:
            new = Path(scratch) / "new"
            files = _fill(new, lab, nodes, network_xml)
            if folder.exists():
                folder.rename(Path(scratch) / "old")
            new.rename(folder)
            return sorted(files)
    except OSError as error:
        raise UsageError(
            f"can't write to {folder}: {error.strerror}",
            resolution="name a folder that can be written to",
        ) from None


def _refuse_foreign(folder: Path) -> None:
    if folder.exists() and any(folder.iterdir()) and not (folder / _MARKER).is_file():
        raise UsageError(
            f"{folder} holds files that no render made",
            resolution="name a new or empty folder",
        )


def _fill(folder: Path, lab: str, nodes: Iterable[DesiredNode], network_xml: str) -> list[str]:
    """Write all files; their names."""
    folder.mkdir()
    folder.chmod(0o755)
    files = {_MARKER: f"{lab}\n"}
    if network_xml:
        files["network.xml"] = network_xml
    names = _write(folder, files)
    for node in nodes:
        home = f"nodes/{node.intent.node.name}"
        (folder / home / "day0").mkdir(parents=True)
        day0 = {f"{home}/day0/{name}": text for name, text in node.day0.files.items()}
        names += _write(folder, {f"{home}/domain.xml": node.domain_xml, **day0})
    return names


def _write(folder: Path, files: Mapping[str, str]) -> list[str]:
    """Write files of `folder` by name; the names. By descriptor: half the time of a Path each."""
    for name, text in files.items():
        data = text.encode()
        descriptor = os.open(f"{folder}/{name}", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
        try:
            while data:
                data = data[os.write(descriptor, data) :]
        finally:
            os.close(descriptor)
    return list(files)
