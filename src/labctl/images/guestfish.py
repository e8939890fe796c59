"""A disk's file systems through libguestfs: one small virtual machine (appliance) per inspection.

guestfish is asked line by line, since its boot is what costs: 10 s and more where KVM is dead.
Text from within the disk never reaches a terminal or a shell: files are downloaded, names quoted.
"""

from __future__ import annotations

import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from stat import S_ISREG

from labctl import process
from labctl.errors import ImageError

PROGRAM = "guestfish"
HOW_TO_INSTALL = (
    "install it: `apt install --no-install-recommends libguestfs-tools linux-image-amd64` on "
    "Debian, `... libguestfs-tools linux-image-generic` on Ubuntu (the appliance boots that kernel)"
)
_BOOT_SECONDS = 300.0
_COMMAND_SECONDS = 120.0
_SAFE = re.compile(rb"[A-Za-z0-9/._-]")
_FAILED = re.compile(r"^(?:\*stdin\*:\d+: )?libguestfs: error: (.*)", re.MULTILINE)
_MOST_NAMES = 64 << 20


class Disk:
    """A disk in a booted appliance, with at most one file system mounted."""

    def __init__(self, talk: process.Conversation, folder: Path) -> None:
        self._talk = talk
        self._folder = folder
        self._mark = secrets.token_hex(16)  # nothing on the disk can know it

    def ask(self, command: str, *words: str | bytes, seconds: float = _COMMAND_SECONDS) -> str:
        """What one guestfish command prints. Raises ImageError with what libguestfs says."""
        line = b" ".join([f"-{command}".encode(), *map(quoted, words)])
        end = f"{self._mark}\n".encode()
        answer = self._talk.ask(line + b"\necho " + end, until=end, deadline=seconds)
        text = answer.decode(errors="replace")
        if failed := _FAILED.search(text):
            raise ImageError(f"{command}: {failed[1].strip()}")
        return text

    def mount(self, device: str) -> None:
        """Mount `device` read-only in place of what is mounted. Raises ImageError."""
        self.ask("umount-all")
        self.ask("mount-ro", device, "/")

    def names(self) -> list[bytes]:
        """Every path in the mounted file system, from its root, without a leading slash."""
        listed = self._folder / "names"
        self.ask("find0", "/", str(listed))
        with listed.open("rb") as file:
            return file.read(_MOST_NAMES).split(b"\0")[:-1]

    def size(self, name: bytes) -> int | None:
        """The size of the regular file `name`, None for anything else. Raises ImageError."""
        told = dict(re.findall(r"^(st_\w+): (\d+)$", self.ask("lstatns", b"/" + name), re.M))
        return int(told["st_size"]) if S_ISREG(int(told["st_mode"])) else None

    def read(self, name: bytes, length: int) -> bytes:
        """The first `length` bytes of a file that has them. Raises ImageError."""
        copy = self._folder / "file"
        self.ask("download-offset", b"/" + name, str(copy), "0", str(length))
        return copy.read_bytes()


@contextmanager
def booted(disk: Path, folder: Path, *, kvm: bool) -> Iterator[Disk]:
    """The qcow2 file `disk`, which is written to, in an appliance; `folder` is for scratch files.

    Raises ImageError when there is no guestfish or the appliance does not come up.
    """
    need_program()
    settings = {
        "LIBGUESTFS_BACKEND": "direct",
        "LIBGUESTFS_BACKEND_SETTINGS": "" if kvm else "force_tcg",
        "TMPDIR": str(folder),
        "LC_ALL": "C",
    }
    with process.conversation([PROGRAM, "--format=qcow2", "-a", disk], env=settings) as talk:
        guest = Disk(talk, folder)
        guest.ask("run", seconds=_BOOT_SECONDS)
        yield guest


def need_program() -> None:
    """Raises ImageError when there is no guestfish."""
    if shutil.which(PROGRAM) is None:
        raise ImageError(
            "guestfish is not installed, so nothing on a disk can be read",
            details="it is libguestfs's shell, and `--deep` reads file systems through it",
            resolution=HOW_TO_INSTALL,
        )


def quoted(word: str | bytes) -> bytes:
    """A word as guestfish takes it, whatever bytes it has (its manual, "QUOTING")."""
    raw = word if isinstance(word, bytes) else word.encode()
    bytes_ = (raw[place : place + 1] for place in range(len(raw)))
    return b'"' + b"".join(b if _SAFE.match(b) else b"\\x%02x" % ord(b) for b in bytes_) + b'"'
