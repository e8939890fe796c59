"""A Nexus 9000v as its console knows it: pure, scripted, with faults on demand.

The words are those of the transcripts in tests/fixtures/nxos-console and of the facts the platform
file names. It is no Nexus: what is not on the boot's way it does not know.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, replace

IMAGE = "nxos.7.0.3.I7.4.bin"
PASSWORD = "Lab-pass-1"
POAP = (
    "Abort Power On Auto Provisioning [yes - continue with normal setup, skip - bypass password "
    "and basic configuration, no - continue with Power On Auto Provisioning] (yes/skip/no)[no]: "
)
OLD_POAP = "Abort Auto Provisioning and continue with normal setup ?(yes/no)[n]: "
NOT_ONLINE = "System is not fully online. Skip POAP? (yes/no)[n]: "
NOISE = "2021 Mar 26 21:59:21 switch %$ VDC-1 %$ %POAP-2-POAP_FAILURE: DHCP discover phase failed\n"
FIRMWARE = "\x1b[2J\x1b[01;01H\x1b[=3hBdsDxe: starting Boot0001\nSysconf checksum failed\n"
LOADER = "\n\n   Loader Version 5.00.9\n\nloader > "
KERNEL = (
    "Trying diskboot\n Filesystem type is ext2fs\nImage valid\nWARNING: No BIOS Info found\n"
    "INIT: version 2.88 booting\nBad Partition bootflash size 4G too small < min 8G\n"
    "Loading system software\nINIT: Entering runlevel: 3\n"
)
SETUP = (
    "\n  ---- System Admin Account Setup ----\n\n\n"
    "Do you want to enforce secure password standard (yes/no) [y]: "
)
DIALOG = (
    "  ---- Basic System Configuration Dialog VDC: 1 ----\n\n"
    "Would you like to enter the basic configuration dialog (yes/no): "
)
SAVED = f"[{'#' * 40}] 100%\nCopy complete, now saving to disk (please wait)...\nCopy complete.\n"
ABORTED = (
    "syntax error: another save is running\nConfiguration update aborted: request was aborted\n"
)


@dataclass(frozen=True)
class Ask:
    """Text up to a prompt; `hidden` where what is typed has no echo."""

    text: str
    hidden: bool = False


Life = Generator[Ask, str, None]


@dataclass(frozen=True)
class Habits:
    """How this Nexus is; each default is that of a healthy one with a day-0 medium."""

    host: str = "leaf-1"
    day0: bool = True
    poap: str = ""
    poap_repeats: int = 0
    loader_stops: int = 0
    boot_fails: int = 0
    kickstart: bool = False
    listing: tuple[str, ...] = (IMAGE,)
    dies: str = ""
    password: str = PASSWORD
    strict: bool = False
    glued: bool = False
    kib: int = 8163456
    ports_after: int = 0
    named_after: int = 0
    aborts: int = 0
    boot_after: int = 0
    banner: str = ""


class FakeNexus:
    """Bytes typed in, bytes printed out."""

    def __init__(self, habits: Habits) -> None:
        self.habits = habits
        self.typed: list[str] = []
        self.booted: list[str] = []
        self._life = self._lives()
        self._ask = Ask("")
        self._line = ""
        self._counts = {"ports": 0, "named": 0, "saves": 0, "boots": 0}

    def start(self) -> bytes:
        """Power on: what it prints until it waits."""
        return self._print(next(self._life))

    def type(self, data: bytes) -> bytes:
        """What it prints when `data` is typed."""
        printed = b""
        for character in data.decode():
            if character != "\r":
                self._line += character
                continue
            line, self._line = self._line, ""
            self.typed.append("(hidden)" if self._ask.hidden else line)
            printed += ("" if self._ask.hidden else line).encode() + b"\r\n"
            printed += self._print(self._life.send(line))
        return printed

    def _print(self, ask: Ask) -> bytes:
        self._ask = ask
        text = ask.text
        if self.habits.glued and text.endswith(("# ", ": ")):
            text += NOISE
        return text.replace("\n", "\r\n").encode()

    def _lives(self) -> Life:
        """One boot after another."""
        yield from self._boot()
        while True:
            yield Ask("")

    def _boot(self) -> Life:
        habits, text = self.habits, FIRMWARE
        if habits.loader_stops:
            text = yield from self._at_loader(FIRMWARE)
        if habits.dies:
            yield Ask(text + KERNEL + habits.dies)
            return
        text += KERNEL
        if habits.kickstart:
            while (yield Ask(text + "switch(boot)# ")) != "load-nxos":
                text = "% Invalid command\n"
            text = ""
        if habits.poap:
            text = yield from self._provisioning(text)
        yield from self._up(text)

    def _at_loader(self, text: str) -> Generator[Ask, str, str]:
        fails, text = self.habits.boot_fails, text + LOADER
        while True:
            line = yield Ask(text)
            word, _, rest = line.partition(" ")
            image = rest.removeprefix("bootflash:")
            if word == "dir":
                text = "".join(f"  985792512  {name}\n" for name in self.habits.listing)
                text += "loader > "
            elif word == "boot" and image in self.habits.listing and not fails:
                self.booted.append(image)
                return f"Booting {rest}\n"
            else:
                fails = max(0, fails - 1)
                text = f"Booting {rest}\nBoot failed\n\nError 9: Unknown boot failure\nloader > "

    def _provisioning(self, text: str) -> Generator[Ask, str, str]:
        text += "Waiting for system online status before starting POAP ...\n" + self.habits.poap
        answer = yield Ask(text)
        for _ in range(self.habits.poap_repeats):
            answer = yield Ask(NOISE + NOISE.strip() + " - " + self.habits.poap)
        if answer not in ("yes", "y"):
            yield Ask(NOISE)
        secure = yield Ask("Disabling POAP.......Disabling POAP\n" + SETUP)
        strict = secure != "no" or self.habits.strict
        text = ""
        while True:
            first = yield Ask(text + 'Enter the password for "admin": ', hidden=True)
            again = yield Ask('Confirm the password for "admin": ', hidden=True)
            if first == again and not strict:
                break
            text = "Wrong Password, Reason:\n   [Length should be at least 8 characters]\n"
        yield Ask(DIALOG)
        self.habits = replace(self.habits, password=first)
        return ""

    def _up(self, text: str) -> Life:
        text += self.habits.banner
        while True:
            name = self._name()
            user = ""
            while not user:
                user = yield Ask(f"{text}\n\nUser Access Verification\n{name} login: ")
                text = ""
            password = yield Ask("Password: ", hidden=True)
            if (user, password) == ("admin", self.habits.password):
                yield from self._commands()
                text = ""
            else:
                text = "\nLogin incorrect\n"

    def _commands(self) -> Life:
        text = "Cisco Nexus Operating System (NX-OS) Software\n"
        while True:
            line = yield Ask(f"{text}{self._name()}# ")
            if line == "exit":
                return
            text = self._answer(line)

    def _name(self) -> str:
        ready = self.habits.day0 and self._counts["named"] >= self.habits.named_after
        return self.habits.host if ready else "switch"

    def _answer(self, line: str) -> str:
        if line == "":
            self._counts["named"] += 1
            return ""
        if line.startswith(("terminal ", "!")):
            return ""
        answers = {
            "show interface brief": self._ports,
            "show version": lambda: f"  Intel Core with {self.habits.kib} kB of memory.\n",
            "show boot": self._boot_variables,
            "copy running-config startup-config": self._save,
        }
        return answers[line]() if line in answers else "% Invalid command at '^' marker.\n"

    def _ports(self) -> str:
        self._counts["ports"] += 1
        ports = range(1, 65 if self._counts["ports"] > self.habits.ports_after else 1)
        return "mgmt0  --  up  192.0.2.11\n" + "".join(f"Eth1/{n}  1  eth\n" for n in ports)

    def _boot_variables(self) -> str:
        self._counts["boots"] += 1
        there = self._counts["boots"] > self.habits.boot_after
        name = f"NXOS variable = bootflash:/{IMAGE}\n" if there else ""
        return (
            f"Current Boot Variables:\n\nsup-1\n{name}Boot POAP Disabled\n\n"
            f"Boot Variables on next reload:\n\nsup-1\n{name}"
        )

    def _save(self) -> str:
        self._counts["saves"] += 1
        return SAVED if self._counts["saves"] > self.habits.aborts else ABORTED
