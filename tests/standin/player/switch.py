"""The switch being played: its configuration, its faults, the machine and the line it is on."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from standin.player import passwords
from standin.player.config import Block, Editor, Refused, canonical
from standin.player.machine import Machine
from standin.player.store import Store
from standin.player.terminal import Terminal

RELEASE = "7.0(3)I7(4)"
IMAGE = "nxos.7.0.3.I7.4.bin"
CARD_DELAY = 6.0  # seconds from login prompt to line card; about a minute on a real one (netlab)
_CAPPED_KB = 4002196  # what a guest with 4 GiB prints in public transcripts
_REFUSED_LINES = re.compile(r"\s*(feature lldp|mtu \d+)")
_EXEC_LINES = re.compile(r"(terminal|echo|copy|show|end|exit|configure)\b")


@dataclass
class Switch:
    """State from power-on to power-off."""

    terminal: Terminal
    machine: Machine
    store: Store
    boot: int = 1
    faults: frozenset[str] = frozenset()
    root: Block = field(default_factory=Block)
    dont_ask: bool = False
    log: list[str] = field(default_factory=list)
    """What `show logging` has."""
    started: float = field(default_factory=time.monotonic)
    lock: threading.RLock = field(default_factory=threading.RLock)
    """Held by who edits or walks the configuration: the control plane is a thread of its own."""
    booted: float | None = None
    """When the login prompt came first."""

    @property
    def hostname(self) -> str:
        """`switch` until the configuration says otherwise."""
        return self.root.first(r"(?:hostname|switchname) (\S+)") or "switch"

    @property
    def memory_kb(self) -> int:
        """Of the machine, or less where the fault wants it."""
        return _CAPPED_KB if "memory-cap" in self.faults else self.machine.memory_kb

    @property
    def boot_variable(self) -> str | None:
        """The image named by `boot nxos` in the running configuration."""
        return image_named(self.root.lines)

    @property
    def has_card(self) -> bool:
        """Whether the line card with the Ethernet ports is up."""
        delay = CARD_DELAY * self.terminal.scale
        return self.booted is not None and time.monotonic() - self.booted >= delay

    def user_password(self, user: str) -> str | None:
        """The hidden password: None for no such user, "" for none set."""
        return passwords.stored(list(self.root.lines), user)

    def syslog(self, text: str) -> str:
        """A syslog line as the console shows it."""
        now = time.strftime("%Y %b %e %H:%M:%S", time.gmtime())
        self.note(f"{now} {self.hostname} {text}")  # where it is kept it has no VDC
        return f"{now} {self.hostname} %$ VDC-1 %$ {text}"

    def seen_on(self, terminal: Terminal) -> Switch:
        """The same switch on another line."""
        return replace(self, terminal=terminal)

    def note(self, line: str) -> str:
        """Keep a line in the log; the line."""
        self.log.append(line)
        return line

    def configure(self, editor: Editor, line: str) -> None:
        """Type one line into the configuration, with what it brings about. Raises Refused."""
        if "config-errors" in self.faults and _REFUSED_LINES.match(line):
            raise Refused("% Invalid command at '^' marker.")
        if "no-boot-variable" in self.faults and canonical(line).startswith("boot nxos"):
            return
        image = image_named([canonical(line)])
        if image and image != IMAGE:
            raise Refused(f"% Image bootflash:/{image} does not exist")
        with self.lock:
            editor.apply(passwords.conceal(line.strip()))
        if canonical(line) == "system no poap":
            self.store.disable_poap()

    def load(self, text: str) -> None:
        """Apply a configuration file, printing what is refused, as the ASCII replay does."""
        editor = Editor(self.root)
        for line in text.splitlines():
            if not line.startswith(" "):
                editor.home()
            if _EXEC_LINES.match(line):
                self.store.echo(line)
                continue
            try:
                self.configure(editor, line)
            except Refused as refused:
                self.terminal.line(f"{line.strip()}\n{refused}")


def image_named(lines: Iterable[str]) -> str | None:
    """The file that a `boot nxos` line names."""
    pattern = re.compile(r"boot nxos (?:bootflash:/*)?(\S+)(?: sup-1)?")
    return next((match[1] for line in lines if (match := pattern.fullmatch(line))), None)
