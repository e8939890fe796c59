"""Exec and configuration mode: prompts, the pager, and the commands that do something."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence

from standin.player import faults
from standin.player.commands import ACTIONS, SHOWS, Unclear, meant
from standin.player.config import Editor, Refused, canonical
from standin.player.control import Control
from standin.player.firstboot import yes_or_no
from standin.player.shows import system
from standin.player.shows.output import piped
from standin.player.switch import Switch
from standin.player.terminal import Interrupted

_ALL = (*SHOWS, *ACTIONS)
_BAR = 40
# Questions that a configuration line asks a person; `terminal dont-ask` spares them.
_ASKS = {
    r"copp profile \S+": (
        "This operation can cause disruption of control traffic. Proceed (y/n)?  [no] "
    ),
    r"no feature signature-verification": "Are you sure you want to continue? (y/n) : [n] ",
}


class Shell:
    """One session of a user who has logged in."""

    def __init__(
        self, switch: Switch, control: Control, configured: Callable[[], None] | None = None
    ) -> None:
        """`configured` is called whenever configuration mode is left."""
        self._switch, self._control, self._terminal = switch, control, switch.terminal
        self._configured = configured
        self._editor: Editor | None = None
        self._length = 24
        self._turn = 0
        self._open = True

    def run(self) -> None:
        """Until the user leaves."""
        self._terminal.line(f"\n{system.NOTICE}")
        while self._open:
            self._prompt()
            try:
                self._line(self._terminal.read_line().strip())
            except Interrupted as interrupted:
                if interrupted.key == "\x1a":
                    self._end()

    def script(self, lines: Sequence[str]) -> None:
        """Run commands without prompts, echo and pager."""
        self._length = 0
        for line in lines:
            self._line(line.strip())

    def _prompt(self) -> None:
        mode = f"({self._editor.prompt})" if self._editor else ""
        prompt = f"{self._switch.hostname}{mode}# "
        self._turn += 1
        if "glued-syslog" not in self._switch.faults:
            self._terminal.write(prompt)
            return
        glued = self._switch.syslog("%ETHPORT-5-IF_UP: Interface mgmt0 is up")
        # After the prompt and before it by turns; NX-OS does not print the prompt again.
        self._terminal.write(f"{prompt}{glued}\n" if self._turn % 2 else f"{glued}{prompt}")

    def _line(self, line: str) -> None:
        if self._is_fault(line):
            self._switch.store.add_fault(faults.from_next(line, self._switch.boot))
        elif line and not line.startswith("!"):
            try:
                self._command(line)
            except Unclear as unclear:
                self._terminal.line(f"{' ' * (len(line) // 2)}^\n{unclear}")

    def _is_fault(self, line: str) -> bool:
        try:
            return bool(faults.named(line))
        except ValueError as error:
            self._terminal.line(str(error))
            return False

    def _command(self, line: str) -> None:
        command, *stages = (part.strip() for part in line.split("|"))
        if not self._editor:
            self._exec(command, stages)
            return
        try:
            self._configure(command)
        except Refused as refused:
            try:  # exec commands work in configuration mode too
                self._exec(command, stages)
            except Unclear:
                self._terminal.line(str(refused))

    def _exec(self, command: str, stages: list[str]) -> None:
        pattern, words = meant(command, _ALL)
        if pattern in SHOWS:
            output = SHOWS[pattern](self._switch, self._control, words)
            self._page(piped(output, stages))
            return
        verb = pattern.split()[0]
        action = {"configure": self._enter, "copy": self._save, "reload": self._reload,
                  "exit": self._exit, "logout": self._logout, "end": self._end,
                  "write": self._erase, "system": self._switch.store.disable_poap}  # fmt: skip
        if verb in action:
            action[verb]()
        elif "dont-ask" in pattern:
            self._switch.dont_ask = not pattern.startswith("no ")
        elif "length" in pattern and words["n"].isdigit():
            self._length = int(words["n"])

    def _enter(self) -> None:
        self._terminal.line("Enter configuration commands, one per line. End with CNTL/Z.")
        self._editor = self._editor or Editor(self._switch.root)

    def _end(self) -> None:
        was_open, self._editor = self._editor, None
        if was_open and self._configured:
            self._configured()

    def _exit(self) -> None:
        if self._editor is None:
            self._open = False
        elif self._editor.depth == 1:
            self._end()
        else:
            self._editor.leave()

    def _logout(self) -> None:
        self._open = False

    def _configure(self, line: str) -> None:
        if line in ("exit", "end"):
            self._exec(line, [])
            return
        assert self._editor
        for pattern, question in _ASKS.items():
            asked = re.fullmatch(pattern, canonical(line)) and not self._switch.dont_ask
            if asked and yes_or_no(self._switch, question, default="n").startswith("n"):
                return
        if canonical(line).startswith("boot nxos"):
            self._terminal.line(
                "Performing image verification and compatibility check, please wait...."
            )
            self._terminal.pause(2)
        self._switch.configure(self._editor, line)

    def _save(self) -> None:
        for done in range(0, _BAR + 1, 8):
            self._terminal.write(f"\r[{'#' * done:<{_BAR}}] {done * 100 // _BAR:>3}%")
            self._terminal.pause(0.2)
        self._terminal.line("\nCopy complete, now saving to disk (please wait)...")
        self._switch.store.save(system.running(self._switch).text)
        self._terminal.pause(0.5)
        self._terminal.line("Copy complete.")

    def _erase(self) -> None:
        self._terminal.line("Warning: This command will erase the startup-configuration.")
        if yes_or_no(self._switch, "Do you wish to proceed anyway? (y/n)  [n] ", "n").startswith(
            "y"
        ):
            self._switch.store.erase()

    def _reload(self) -> None:
        question = "This command will reboot the system. (y/n)?  [n] "
        if self._switch.dont_ask or yes_or_no(self._switch, question, "n").startswith("y"):
            self._terminal.line(
                self._switch.syslog("%PLATFORM-2-PFM_SYSTEM_RESET: Manual system restart from CLI")
            )
            self._terminal.pause(1)
            self._switch.machine.reset()
            time.sleep(60)  # init is on its way to reset the machine

    def _page(self, text: str) -> None:
        """A screen at a time where the terminal has a length."""
        lines = text.rstrip("\n").split("\n") if text else []
        shown = 0
        for line in lines:
            if self._length and shown == self._length - 1:
                self._terminal.write("--More--")
                key = self._terminal.read_key()
                self._terminal.write("\r        \r")
                if key in "q\x03":
                    return
                shown = self._length - 2 if key in "\r\n" else 0
            self._terminal.line(line)
            shown += 1
