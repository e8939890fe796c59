"""Which files can become golden images: told from their headers, before anything opens them."""

from __future__ import annotations

from pathlib import Path

from labctl.errors import ImageError
from labctl.images.chain import chain
from labctl.images.formats import Format, refuse_unfit_vmdk
from labctl.images.qcow2 import MAGIC, Header, read_header

DEEPEST = 200
"""Layers. At 300 `qemu-img convert` takes 20 s, at 1,000 it did not end within 250 s, and at 1,847
it dies of SIGSEGV (measured with QEMU 7.2 on 64 KiB a layer)."""


def layers(file: Path, *, flatten: bool) -> tuple[Path, ...]:
    """`file`, and with `flatten` all it stands on, top first.

    Raises ImageError when a layer is missing or no qcow2 file, or there are more than DEEPEST.
    """
    if not flatten or not _is_qcow2(file):
        return (file,)
    found = chain(file)
    if len(found) > DEEPEST:
        raise ImageError(
            f"{file} stands on {len(found) - 1} files, more than QEMU can open at once",
            details=f"labctl flattens up to {DEEPEST} layers; QEMU takes minutes for 1,000 and "
            "dies of 1,847",
            resolution=f"`labctl image inspect {file}` shows the chain; "
            f"`labctl image salvage {file}` makes one disk of it, two layers at a time",
        )
    return found


def refuse_unfit(file: Path, found: Format, *, flatten: bool) -> bool:
    """Raise ImageError when a file can't be a golden image, for all the reasons there are.

    With `flatten` it may stand on others, if those are fit; whether it does is returned.
    """
    if found is Format.VMDK:
        refuse_unfit_vmdk(file)
    if found is not Format.QCOW2:
        return False
    if not flatten:
        refuse_unfit_header(file, read_header(file))
        return False
    below = layers(file, flatten=True)
    for layer in below:
        refuse_unfit_header(layer, read_header(layer)._replace(backing=""))
    return len(below) > 1


def refuse_unfit_header(file: Path, header: Header) -> None:
    """Raise ImageError when a qcow2 file of that header does not hold a whole disk itself."""
    faults = {
        f"it stands on a backing file, {header.backing}": header.backing,
        "its data is in another file": header.data_file,
        "it is encrypted": header.encrypted,
        "it is marked corrupt": header.corrupt,
        "it was not closed cleanly (dirty bit)": header.dirty,
    }
    found = [words for words, is_fault in faults.items() if is_fault]
    if found:
        flatten = "`labctl image import --flatten`, or " if header.backing else ""
        raise ImageError(
            f"{file} can't be a golden image: {found[0]}",
            details="\n".join(found),
            resolution=f"make one file that stands on its own: {flatten}"
            f"`qemu-img convert -O qcow2 {file} NEW.qcow2`",
        )


def _is_qcow2(file: Path) -> bool:
    with file.open("rb") as opened:
        return opened.read(len(MAGIC)) == MAGIC
