"""One EFI program out of systemd's stub, a kernel, its command line and an initrd."""

from __future__ import annotations

import struct

from imagebuild.tools import BuildError

_READ_ONLY_DATA = 0x4000_0040
_PAGE = 0x1000


def unified(stub: bytes, sections: dict[str, bytes]) -> bytes:
    """`stub` with `sections` added, as systemd-stub(7) wants them: `.cmdline`, `.initrd`, `.linux`.

    objcopy would do the same; this needs no host program, and its bytes depend on nothing else.
    Layout: Microsoft's "PE Format", sections "COFF File Header" to "Section Table".
    """
    image = bytearray(stub)
    (coff,) = struct.unpack_from("<I", image, 0x3C)
    count, options = (struct.unpack_from("<H", image, coff + at)[0] for at in (6, 20))
    optional = coff + 24
    table = optional + options
    (headers,) = struct.unpack_from("<I", image, optional + 60)
    if table + 40 * (count + len(sections)) > headers:
        raise BuildError("the EFI stub's header has no room for the kernel's sections")
    (file_alignment,) = struct.unpack_from("<I", image, optional + 36)
    (address,) = struct.unpack_from("<I", image, optional + 56)  # the end of what is mapped
    for number, (name, data) in enumerate(sections.items(), start=count):
        address = _up(address, _PAGE)
        image += bytes(_up(len(image), file_alignment) - len(image))
        size = _up(len(data), file_alignment)
        header = (len(data), address, size, len(image), 0, 0, 0, 0, _READ_ONLY_DATA)
        at = table + 40 * number
        image[at : at + 40] = struct.pack("<8s6I2HI", name.encode(), *header)
        image += data.ljust(size, b"\0")
        address += len(data)
    struct.pack_into("<H", image, coff + 6, count + len(sections))
    struct.pack_into("<I", image, optional + 56, _up(address, _PAGE))
    return bytes(image)


def _up(value: int, step: int) -> int:
    return -(-value // step) * step
