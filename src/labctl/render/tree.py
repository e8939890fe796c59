"""What `labctl render` leaves on disk: a folder of XML and day-0 files, whole or not at all.

DIR/network.xml                  the management network, where there is one
DIR/nodes/NODE/domain.xml        the machine
DIR/nodes/NODE/day0/FILE         what is on the node's day-0 medium
DIR/.labctl-render               the lab's name and the names of these files, one a line: what
                                 is in it is the next rendering's to replace, and nothing else
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from labctl.errors import UsageError
from labctl.model.desired import DesiredNode

_MARKER = ".labctl-render"
_MOST_NAMED = 5


def write_nodes(
    lab: str, nodes: Iterable[DesiredNode], network_xml: str, folder: Path
) -> list[str]:
    """Write a rendered lab into `folder`, replacing what an earlier render left there.

    Takes the nodes one by one as they are rendered, so that the lab need not fit into memory.
    Made beside `folder` and moved into place at the end. Returns the files' names below `folder`,
    in order. Raises UsageError when `folder` holds another lab's rendering or files that no
    render made, or can't be written.
    """
    folder = folder.absolute()
    try:
        _refuse_foreign(folder, lab)
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


def _refuse_foreign(folder: Path, lab: str) -> None:
    if not folder.exists() or not (found := sorted(_files(folder))):
        return
    rendered, *ours = _marker(folder)
    if rendered not in ("", lab):
        raise UsageError(
            f"{folder} holds a rendering of another lab, {rendered}",
            resolution="name another folder, or remove this one",
        )
    made = {_MARKER, *ours} if rendered else set()
    if foreign := [name for name in found if name not in made]:
        more = len(foreign) - _MOST_NAMED
        named = foreign[:_MOST_NAMED] + ([f"and {more} more"] if more > 0 else [])
        raise UsageError(
            f"{folder} holds files that no render made",
            details="\n".join(named),
            resolution="name a new or empty folder, or move them away",
        )


def _marker(folder: Path) -> list[str]:
    """The lines of the folder's marker; one empty line where there is none."""
    marker = folder / _MARKER
    return marker.read_text(errors="replace").splitlines() if marker.is_file() else [""]


def _files(folder: Path) -> Iterator[str]:
    """The names of all files below `folder`, links to folders included."""
    for entry in os.scandir(folder):
        if entry.is_dir(follow_symlinks=False):
            yield from (f"{entry.name}/{name}" for name in _files(Path(entry.path)))
        else:
            yield entry.name


def _fill(folder: Path, lab: str, nodes: Iterable[DesiredNode], network_xml: str) -> list[str]:
    """Write all files; their names."""
    folder.mkdir()
    folder.chmod(0o755)
    names = _write(folder, {"network.xml": network_xml} if network_xml else {})
    for node in nodes:
        home = f"nodes/{node.intent.node.name}"
        (folder / home / "day0").mkdir(parents=True)
        day0 = {f"{home}/day0/{name}": text for name, text in node.day0.files.items()}
        names += _write(folder, {f"{home}/domain.xml": node.domain_xml, **day0})
    marker = "".join(f"{line}\n" for line in (lab, *sorted(names)))
    return names + _write(folder, {_MARKER: marker})


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
