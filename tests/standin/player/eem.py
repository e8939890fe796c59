"""The embedded event manager, as far as it goes: applets that run a Python script of bootflash.

The script is the one the configuration writes there with `echo` lines, and it is really run, with a
module `cli` as NX-OS has it. So what labctl's day-0 leaves to a script is tried, not assumed.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from types import ModuleType

from standin.player.config import Block
from standin.player.control import Control
from standin.player.shell import Shell
from standin.player.switch import Switch
from standin.player.terminal import Terminal

CONFIGURED = "%VSHD-5-VSHD_SYSLOG_CONFIG_I: Configured from vty by admin on console0"
_SCRIPT = r"action \S+ cli python bootflash:/*(\S+)"


class Recorder(Terminal):
    """A terminal without a line: it keeps what is printed, and answers each question with Enter."""

    def __init__(self) -> None:
        super().__init__(-1)
        self.text = ""

    def write(self, text: str) -> None:
        """Keep it."""
        self.text += text

    def pause(self, seconds: float) -> None:
        """Nobody waits."""

    def read_line(self, *, echo: bool = True) -> str:
        """Enter."""
        return ""


def configured(switch: Switch, control: Control) -> None:
    """Somebody left configuration mode, or a file was applied: applets that wait for it run."""
    switch.syslog(CONFIGURED)
    for name in _scripts(switch.root, CONFIGURED):
        _run(switch, control, switch.store.bootflash / name)


def _scripts(root: Block, message: str) -> list[str]:
    found = []
    for _, applet in root.find(r"event manager applet \S+"):
        pattern = applet.first(r'event syslog pattern "(.+)"')
        if pattern and re.search(pattern, message):
            found += [match[1] for match, _ in applet.find(_SCRIPT)]
    return found


def _run(switch: Switch, control: Control, path: Path) -> None:
    """Run one script; an error of it is a line of the log, as on a switch nobody looks at."""

    def cli(commands: str) -> str:
        recorder = Recorder()
        Shell(switch.seen_on(recorder), control).script(commands.split(" ; "))
        if re.search(r"^% ", recorder.text, re.MULTILINE):
            raise RuntimeError(recorder.text)
        return recorder.text

    module = ModuleType("cli")
    module.__dict__["cli"] = cli
    sys.modules["cli"] = module
    try:
        exec(compile(path.read_text(), path.name, "exec"), {"__name__": "__main__"})
    except Exception as error:  # noqa: BLE001  # whatever a script may do wrong
        switch.syslog(f"%EEM_ACTION-6-INFORM: {path.name}: {error!r}")
