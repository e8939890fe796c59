"""Commands on a Nexus over its console: log in if need be, run them, leave it as it was found.

A pure state machine as NexusBoot is: console bytes in, what to type and what came back out.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from labctl.console.dialogue import Dialogue
from labctl.console.events import DialogueEvent, Fault, LineEnded, PromptSeen, Send
from labctl.devices.nxos.boot import answer_to
from labctl.devices.nxos.exchange import Exchange
from labctl.devices.nxos.lines import is_error
from labctl.model.platform import Platform

_PROMPTS = ("exec", "config")
_WAYS_IN = ("login", "password", "config", "shell", "pager")
_ANSWER_PAUSE = 30.0
_LEAVE_PAUSE = 10.0


@dataclass(frozen=True, slots=True)
class Output:
    """What a command printed. `line` is its place in the list given, from 1."""

    line: int
    command: str
    text: str
    errors: tuple[str, ...]
    """The lines with which the device refused it, or the question at which it stopped."""


SessionEvent = Send | Output


@dataclass(frozen=True, slots=True)
class Step:
    """What to type at a prompt of a kind. `line` as in Output, 0 where nobody asked for it."""

    line: int
    command: str
    prompt: str = "exec"


class Session:
    """Runs commands one after the other, made by `commands` or `configuration`.

    Call `start()` once attached, then `feed()` what comes, until `done`; `failed` says why it ended
    early. `wake_after` and `wake()` are those of NexusBoot. A command's deadline is the caller's.
    """

    def __init__(
        self, platform: Platform, *, host: str, steps: Sequence[Step], confirm: bool = False
    ) -> None:
        """`confirm` answers the device's `(y/n)` with yes; otherwise no, and as an error."""
        self._dialogue = Dialogue(platform, [host])
        self._steps = deque([Step(0, "terminal length 0"), Step(0, "terminal width 511"), *steps])
        self._confirm = confirm
        self._exchange: Exchange | None = None
        self._line = 0
        self._asked: list[str] = []
        self._answer: Send | None = None
        self._name = ""
        self._logged_in = False
        self._moved = False
        self._leaving = False
        self.done = False
        self.failed = ""
        self.wake_after: float | None = None

    def start(self) -> list[SessionEvent]:
        """One Enter, to see where the console stands: the only byte sent without a prompt.

        A fresh connection sees nothing of what was printed before. On a node that has come up it
        is safe: at `login:` and at a command line it prints the prompt again, at a pager it shows
        a line more, and every (y/n) question of a running system takes it for no. It would not be
        while booting, where POAP's question takes it for "go on": so never before ready.
        """
        self.wake_after = _ANSWER_PAUSE
        return [Send()]

    def feed(self, data: bytes) -> list[SessionEvent]:
        """What the next bytes of the console bring: what to type, and outputs that are complete."""
        return [out for event in self._dialogue.feed(data) for out in self._on(event)]

    def wake(self) -> list[SessionEvent]:
        """Time has passed without what was waited for."""
        self.wake_after = None
        if self._leaving:
            self.done = True
        elif self._exchange is not None:
            pass  # a command may take its time
        elif self._moved:
            self._moved, self.wake_after = False, _ANSWER_PAUSE
        else:
            self._fail("the console does not answer: no prompt came after what was typed")
        return []

    def tail(self, count: int) -> list[str]:
        """The last `count` lines, the unfinished one included."""
        return self._dialogue.tail(count)

    def _on(self, event: DialogueEvent) -> list[SessionEvent]:
        if self.done:
            return []
        if isinstance(event, LineEnded):
            self._ended(event)
        if isinstance(event, Fault) and event.rule == "login refused" and self._exchange is None:
            self._fail(f"login refused: {event.explanation}")
        return self._prompt(event) if isinstance(event, PromptSeen) else []

    def _ended(self, line: LineEnded) -> None:
        if self._exchange is not None:
            self._exchange.line(line)
        if self._answer is not None and self._answer.text in line.text:
            self._answer = None

    def _prompt(self, prompt: PromptSeen) -> list[SessionEvent]:
        if self._answer is not None:
            return []  # an old prompt: what was answered last has not even been echoed
        if self._leaving:
            self.done = prompt.kind == "login"
            return []
        if self._exchange is not None:
            return self._while_running(self._exchange, prompt)
        if prompt.kind == "exec":
            self.wake_after = None
            self._name = _name(prompt)
            return self._next(prompt)
        if prompt.kind not in _WAYS_IN:
            self._fail(f"the node is not up: its console stands at {prompt.kind}: {prompt.text}")
            return []
        self._logged_in = self._logged_in or prompt.kind == "login"
        self._moved, self._answer = True, answer_to(prompt)
        return [self._answer]

    def _while_running(self, exchange: Exchange, prompt: PromptSeen) -> list[SessionEvent]:
        if prompt.kind == "pager":
            return [answer_to(prompt)]
        if prompt.kind in ("confirm", "reload"):
            self._asked += [] if self._confirm else [prompt.text]
            return [Send("y" if self._confirm else "n")]
        # Only its own name: output may hold what looks like another's prompt.
        own = prompt.kind in _PROMPTS and _name(prompt) in (self._name, _renamed(exchange.command))
        if not own or not exchange.ends():
            return []
        self._name = _name(prompt)
        return [*self._output(exchange), *self._next(prompt)]

    def _output(self, exchange: Exchange) -> list[SessionEvent]:
        text = exchange.output.replace("--More--", "")
        errors = (*filter(is_error, text.splitlines()), *self._asked)
        self._exchange, self._asked = None, []
        if not self._line:
            return []
        return [Output(self._line, exchange.command, text, tuple(map(str.strip, errors)))]

    def _next(self, prompt: PromptSeen) -> list[SessionEvent]:
        if not self._steps:
            return self._leave()
        step = self._steps.popleft()
        if step.prompt != prompt.kind:
            where = f"line {step.line}, {step.command!r}" if step.line else repr(step.command)
            self._fail(f"not in {step.prompt} mode before {where}: {self.tail(3)}")
            return []
        self._line = step.line
        self._exchange = Exchange(step.command, prompt.text.strip())
        return [Send(step.command)]

    def _leave(self) -> list[SessionEvent]:
        """Log out who was logged in here: the console has no time limit, so an open session would
        stay open to all. One that was found open is somebody's, and stays."""
        if not self._logged_in:
            self.done = True
            return []
        self._leaving = True
        self.wake_after = _LEAVE_PAUSE
        return [Send("exit")]

    def _fail(self, why: str) -> None:
        self.done, self.failed, self.wake_after = True, why, None


def commands(platform: Platform, *, host: str, lines: Sequence[str]) -> Session:
    """A session that runs commands and tells the output of each."""
    steps = [Step(number, line) for number, line in enumerate(lines, start=1)]
    return Session(platform, host=host, steps=steps)


def configuration(platform: Platform, *, host: str, lines: Sequence[str]) -> Session:
    """A session that types the lines of a configuration and tells the errors of each.

    Comments, blank lines and `end` are left out. It fails when the node does not enter or leaves
    the configuration mode before the last line.
    """
    steps = [
        # copp and the like ask y/n in the middle (vrnetlab issues 373 and 374).
        Step(0, "terminal dont-ask"),
        Step(0, "configure terminal"),
        *(
            Step(number, line, "config")
            for number, line in enumerate(lines, start=1)
            if line.strip() not in ("", "end") and not line.lstrip().startswith("!")
        ),
        Step(0, "end", "config"),
        Step(0, "no terminal dont-ask"),
    ]
    return Session(platform, host=host, steps=steps, confirm=True)


def _name(prompt: PromptSeen) -> str:
    return prompt.text.partition("#")[0].partition("(")[0]


def _renamed(command: str) -> str:
    """The name a node calls itself by after the command, "" if it stays."""
    word, _, name = command.strip().partition(" ")
    return name.strip() if word in ("hostname", "switchname") else ""
