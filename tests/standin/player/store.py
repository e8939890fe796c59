"""What a Nexus keeps on its bootflash and in its NVRAM, as files that survive a power cut."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

_ECHO = re.compile(r"echo '(.*)' (>>?) (\S+)")


@dataclass(frozen=True)
class Store:
    """One folder on the machine's disk."""

    folder: Path

    @property
    def bootflash(self) -> Path:
        """Where scripts are."""
        return self.folder / "bootflash"

    def echo(self, line: str) -> None:
        """`echo '...' >> FILE`, and with one `>`."""
        match = _ECHO.fullmatch(line.strip())
        if match:
            self.bootflash.mkdir(parents=True, exist_ok=True)
            with (self.bootflash / match[3]).open("a" if match[2] == ">>" else "w") as file:
                file.write(f"{match[1]}\n")

    def startup(self) -> str | None:
        """The startup configuration; None before the first `copy r s`."""
        return self._read("startup-config")

    def save(self, configuration: str) -> None:
        """`copy running-config startup-config`."""
        self._write("startup-config", configuration)

    def erase(self) -> None:
        """`write erase`: as if it had never been configured, but for the bootflash."""
        (self.folder / "startup-config").unlink(missing_ok=True)

    def count_boot(self) -> int:
        """The number of this boot, the first being 1."""
        number = int(self._read("boots") or 0) + 1
        self._write("boots", str(number))
        return number

    @property
    def faults(self) -> str:
        """Comment lines typed at the console, in force from the next boot on."""
        return self._read("faults") or ""

    def add_fault(self, line: str) -> None:
        """Keep such a line."""
        self._write("faults", f"{self.faults}{line}\n")

    @property
    def poap(self) -> bool:
        """Whether POAP is still enabled (`system no poap` ends that, startup or no startup)."""
        return self._read("no-poap") is None

    def disable_poap(self) -> None:
        """`system no poap`."""
        self._write("no-poap", "")

    def _read(self, name: str) -> str | None:
        try:
            return (self.folder / name).read_text()
        except FileNotFoundError:
            return None

    def _write(self, name: str, text: str) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        part = self.folder / f".{name}.part"
        with part.open("w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        part.rename(self.folder / name)
        folder = os.open(self.folder, os.O_RDONLY)
        os.fsync(folder)
        os.close(folder)
