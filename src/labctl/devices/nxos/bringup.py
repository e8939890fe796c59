"""From the first prompt of a booted Nexus to one that may be used: a script of commands and checks.

The script is a generator: it yields what it wants done and is sent the reply to its last command.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

from labctl.devices.nxos.commands import SAVE, SAVED
from labctl.devices.nxos.lines import boot_variable, has_port, memory_kib

TOLERANCE = 0.06
"""A guest reports less memory than its machine has: 5.7 % at 1 GiB, 2.3 % at 16 (measured)."""
_POLL = 10.0
_NAME_POLLS = 18
_BOOT_POLLS = 18  # `boot nxos` verifies the image first: boxen allows it 240 s
_SAVES = 5
_SAVE_PAUSE = 60.0  # boxen: `aborted` means that the system is not up enough yet
_SAVED_PAUSE = 5.0  # boxen: sooner it is not really on the disk


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a node must show to be ready.

    `last_port` is "" for a node without wires, `floor` is MiB, 0 to ask for none,
    `boot_variable` False where the device has none like a Nexus 9000's.
    """

    host: str
    last_port: str
    floor: int
    boot_variable: bool = True


@dataclass(frozen=True, slots=True)
class Run:
    """Type a command; the reply comes with the next prompt."""

    command: str


@dataclass(frozen=True, slots=True)
class Pause:
    """Do nothing for so many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Enter:
    """A phase of the platform's begins."""

    phase: str


@dataclass(frozen=True, slots=True)
class GiveUp:
    """The node will not become ready."""

    fault: str
    line: str
    explanation: str


@dataclass(frozen=True, slots=True)
class Reply:
    """What a command printed, and the prompt behind it."""

    output: str
    prompt: str


Script = Generator[Run | Pause | Enter | GiveUp, Reply, None]


def bring_up(wanted: Wanted) -> Script:
    """Ports there, day-0 applied, memory enough, boot variable set, saved; or GiveUp, the last."""
    yield Run("terminal length 0")
    yield Run("terminal width 511")
    yield Enter("ports")
    while wanted.last_port:
        if has_port((yield Run("show interface brief")).output, wanted.last_port):
            break
        yield Pause(_POLL)
    yield Enter("config")
    failed = (yield from _named(wanted.host)) or (yield from _large(wanted.floor))
    if not failed:
        yield Enter("save")
        failed = yield from (_kept() if wanted.boot_variable else _saved())
    if failed:
        yield failed


Check = Generator[Run | Pause | Enter | GiveUp, Reply, GiveUp | None]


def _named(host: str) -> Check:
    prompt = ""
    for _ in range(_NAME_POLLS):
        prompt = (yield Run("")).prompt
        if prompt.partition("#")[0].partition("(")[0] == host:
            return None
        yield Pause(_POLL)
    return GiveUp(
        "day-0 not applied",
        prompt,
        f"the node is up but calls itself otherwise than {host}: it did not read its day-0 medium",
    )


def _large(floor: int) -> Check:
    output = (yield Run("show version")).output
    kib = memory_kib(output)
    if kib is None or kib >= floor * 1024 * (1 - TOLERANCE):
        return None
    return GiveUp(
        "low memory",
        next(line for line in output.splitlines() if "kB of memory" in line).strip(),
        f"the node has {kib // 1024} MiB, its software needs {floor}; with less it drops routes",
    )


def _kept() -> Check:
    """Saved, with a boot variable in what was saved.

    Both again and again: the day-0's applet may set the variable late, and saving in the wrong
    moment has wiped it (archetype eda2c4b).
    """
    output = ""
    for number in range(_BOOT_POLLS):
        if number:
            yield Pause(_POLL)
        if failed := (yield from _saved()):
            return failed
        output = (yield Run("show boot")).output
        if boot_variable(output):
            return None
    return GiveUp(
        "boot variable not set",
        _last_line(output),
        "after a reload the node would stop at its loader: its day-0 must set `boot nxos`",
    )


def _saved() -> Check:
    output = ""
    for number in range(_SAVES):
        if number:
            yield Pause(_SAVE_PAUSE)
        output = (yield Run(SAVE)).output
        if SAVED in output:
            yield Pause(_SAVED_PAUSE)
            return None
    return GiveUp(
        "configuration not saved",
        _last_line(output),
        f"`{SAVE}` did not end in `{SAVED}` {_SAVES} times",
    )


def _last_line(output: str) -> str:
    return next((line.strip() for line in reversed(output.splitlines()) if line.strip()), "")
