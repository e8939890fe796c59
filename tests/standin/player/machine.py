"""What is really there: memory, cards, day-0 medium, a disk to keep things on, a reset button."""

from __future__ import annotations

import os
import socket
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path

ETHERTYPE = 0x88B5  # IEEE 802: local experimental
_DAY0 = Path("/run/day0")
_NET = Path("/sys/class/net")


class Reset(Exception):
    """The machine starts anew."""


class Machine(ABC):
    """The hardware the player plays on."""

    folder: Path
    """On the disk: survives resets."""
    memory_kb: int
    serial: str
    macs: tuple[str, ...]
    """Of its cards in the order of their slots: mgmt0, Ethernet1/1, Ethernet1/2 ..."""

    @abstractmethod
    def day0(self) -> str | None:
        """What the day-0 medium holds as nxos_config.txt."""

    @abstractmethod
    def plugged(self, card: int) -> bool:
        """Whether a cable is in."""

    @abstractmethod
    def socket(self, card: int) -> socket.socket | None:
        """For frames of the stand-ins' own kind on this card; None where there is no wire."""

    @abstractmethod
    def reset(self) -> None:
        """Start anew. Raises Reset where the caller must do it."""


class Desk(Machine):
    """No machine at all: for the player alone on a pseudo-terminal.

    `number` tells it from others; `wires` are sockets by card, 1 and up, of which the last decides
    how many cards there are.
    """

    def __init__(self, folder: Path, number: int, wires: Mapping[int, socket.socket]) -> None:
        self.folder = folder
        self.memory_kb = 8155032  # what a Nexus with 8 GiB says
        self.serial = f"9DESK{number:07}"
        cards = range(max(wires, default=2) + 1)
        self.macs = tuple(f"0c:00:00:{number:02x}:00:{card:02x}" for card in cards)
        self._wires = wires

    def day0(self) -> str | None:
        """The file `nxos_config.txt` of the folder."""
        return config_in(self.folder)

    def plugged(self, card: int) -> bool:
        """All cables are in."""
        return True

    def socket(self, card: int) -> socket.socket | None:
        """What it was given."""
        return self._wires.get(card)

    def reset(self) -> None:
        """Raises Reset."""
        raise Reset


class Guest(Machine):
    """The virtual machine this runs in."""

    def __init__(self) -> None:
        self.folder = Path("/var/lib/standin")
        self.memory_kb = _total_memory(Path("/proc/meminfo").read_text())
        self.serial = _text(Path("/sys/class/dmi/id/product_serial")) or "9STANDIN0001"
        self._cards = _cards_by_slot()
        self.macs = tuple(_text(_NET / name / "address") for name in self._cards)

    def day0(self) -> str | None:
        """From the CD-ROM that /usr/lib/standin/boot has mounted."""
        return config_in(_DAY0)

    def plugged(self, card: int) -> bool:
        """What the card says of its carrier."""
        return _text(_NET / self._cards[card] / "carrier") == "1"

    def socket(self, card: int) -> socket.socket | None:
        """A packet socket for the stand-ins' ethertype."""
        wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETHERTYPE))
        wire.bind((self._cards[card], ETHERTYPE))
        return wire

    def reset(self) -> None:
        """By init, which writes the disk first."""
        os.execv("/sbin/reboot", ["reboot", "-f"])  # after its own sync


def config_in(folder: Path) -> str | None:
    """nxos_config.txt in whatever case, with or without the version of plain ISO 9660."""
    if not folder.is_dir():
        return None
    for path in sorted(folder.iterdir()):
        if path.name.lower().split(";")[0] == "nxos_config.txt":
            return path.read_text(errors="replace").replace("\r\n", "\n")
    return None


def _total_memory(meminfo: str) -> int:
    fields: Mapping[str, str] = dict(line.split(":", 1) for line in meminfo.splitlines())
    return int(fields["MemTotal"].split()[0])


def _cards_by_slot() -> list[str]:
    """Names of the Ethernet cards by PCI address, which is how a Nexus counts them."""
    cards = [path for path in _NET.iterdir() if (path / "device").exists()]
    return [path.name for path in sorted(cards, key=lambda p: (p / "device").resolve().name)]


def _text(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:  # a card that is down has no carrier to read
        return ""
