"""The boot of a Nexus as a pure state machine: console bytes in, events and what to type out.

It types only at a prompt that was seen and is still open, keeps silent else however long the node
does, and has no clock: `wake_after` says when it would like to be woken. The limits of its
patience are the platform's: a phase's deadline, and faults that count.
"""

from __future__ import annotations

from labctl.console.dialogue import Dialogue
from labctl.console.events import (
    BootEvent,
    DialogueEvent,
    Fault,
    LineEnded,
    PhaseEntered,
    PromptSeen,
    Ready,
    Send,
)
from labctl.devices.nxos.bringup import Enter, GiveUp, Pause, Reply, Run, Script, Wanted, bring_up
from labctl.devices.nxos.exchange import Exchange
from labctl.devices.nxos.lines import is_error, is_syslog
from labctl.devices.nxos.loader import Loader
from labctl.model.platform import Platform

USER = "admin"
SECRET = "nxos-admin"
"""The name of the secret that is the user's password."""
_LOADER_PAUSE = 30.0
_POAP_PAUSE = 30.0


class NexusBoot:
    """Follows and drives one node's boot, as BootWatcher follows a guest's.

    `platform` is what the node's image needs (labctl.model.fit); `last_port` the highest wired
    Ethernet port; `boot_image` the image's file on bootflash, "" when it isn't known;
    `undersized` lets a node with less memory than the floor pass.

    `wake_after` is the number of seconds after which to call `wake()`, counted from when it was
    first seen to be no longer None, and anew after each call. Too early or late does no harm.
    """

    def __init__(
        self,
        platform: Platform,
        *,
        host: str,
        last_port: str,
        boot_image: str = "",
        undersized: bool = False,
    ) -> None:
        floor = 0 if undersized else platform.memory_floor
        self._wanted = Wanted(host, last_port, floor, platform.boot_variable)
        self._names = [rule.name for rule in platform.phases]
        self._dialogue = Dialogue(platform, [host])
        self._loader = Loader(boot_image)
        self._script: Script | None = None
        self._exchange: Exchange | None = None
        self._open: PromptSeen | None = None
        self._answered = ""
        self._errors = 0
        self._over = False
        self._silent = False
        self.wake_after: float | None = None

    @property
    def phase(self) -> str:
        """The name of the current phase, "" before the first."""
        return self._dialogue.phase

    @property
    def ready(self) -> bool:
        """Whether the node is ready."""
        return self._dialogue.ready

    @property
    def allowed(self) -> float:
        """Seconds the platform allows from entering the current phase to entering the next."""
        return self._dialogue.allowed

    def tail(self, count: int) -> list[str]:
        """The last `count` lines, the unfinished one included."""
        return self._dialogue.tail(count)

    def feed(self, data: bytes) -> list[BootEvent]:
        """What the next bytes of the console say, and what to type, in order."""
        return [out for event in self._dialogue.feed(data) for out in self._on(event)]

    def resume(self, history: bytes) -> list[BootEvent]:
        """What was recorded before anybody drove: nothing in it is answered any more.

        But a prompt at its very end still waits, and is answered. Phases and faults are told as
        they were; a fault before the last phase is one of a boot that is over.
        """
        self._silent = True
        events = self.feed(history)
        self._silent = False
        if self._open is None:
            return events
        behind = self._dialogue.unfinished.rpartition(self._open.text)[2].strip()
        waits = not behind or is_syslog(behind)
        return events + (self._prompt(self._open) if waits else [])

    def wake(self) -> list[BootEvent]:
        """Time has passed. Types nothing unless the prompt it waited at is still open."""
        self.wake_after = None
        prompt = self._open
        if self._over or prompt is None:
            return []
        if prompt.kind == "exec":
            return self._advance(Reply("", prompt.text))
        return self._reply(prompt)

    def _on(self, event: DialogueEvent) -> list[BootEvent]:
        if isinstance(event, LineEnded):
            self._line(event)
            return []
        if isinstance(event, Fault):
            return self._fault(event)
        if isinstance(event, PromptSeen):
            return [event, *self._prompt(event)]
        if isinstance(event, PhaseEntered) and self._is_start(event.name):
            self._start_over()
        return [event]

    def _line(self, event: LineEnded) -> None:
        self._loader.line(event.text)
        if self._open is not None and self._closes(self._open, event.text):
            self._open = self.wake_after = None
        if self._exchange is not None:
            self._exchange.line(event)
        elif is_error(event.text):
            self._errors += 1

    def _fault(self, fault: Fault) -> list[BootEvent]:
        if fault.rule == "low memory" and not self._wanted.floor:
            return []
        self._over = not self._silent
        return [fault]

    def _prompt(self, prompt: PromptSeen) -> list[BootEvent]:
        again = prompt.kind == self._answered
        self._open, self._answered = prompt, "" if not again else self._answered
        if self._silent or self._over or self.ready:
            return []
        if prompt.kind == "poap" and again:
            # It is printed again while the answer is being obeyed; a second one would wait in the
            # line for the next question, which is about the password.
            self.wake_after = self.wake_after or _POAP_PAUSE
            return []
        if prompt.kind == "loader" and self._loader.waits:
            self.wake_after = _LOADER_PAUSE
            return []
        if prompt.kind == "exec":
            return self._exec(prompt)
        return self._reply(prompt)

    def _reply(self, prompt: PromptSeen) -> list[BootEvent]:
        """The table's answer to a question."""
        self.wake_after = None
        if not prompt.answer:
            return []
        self._open, self._answered = None, prompt.kind
        if prompt.kind in ("login", "config", "shell"):
            self._script = self._exchange = None
        if prompt.answer == "boot":
            return [Send(self._loader.answer())]
        return [answer_to(prompt)]

    def _exec(self, prompt: PromptSeen) -> list[BootEvent]:
        if self._exchange is not None:
            if not self._exchange.ends():
                return []
            reply, self._exchange = Reply(self._exchange.output, prompt.text), None
            return self._advance(reply)
        return [] if self.wake_after else self._advance(Reply("", prompt.text))

    def _advance(self, reply: Reply) -> list[BootEvent]:
        """Go on with the script until it types, pauses or ends."""
        events: list[BootEvent] = []
        while True:
            step = self._step(reply)
            if isinstance(step, Enter):
                events += self._entered(step.phase)
                continue
            if isinstance(step, Run):
                self._open = None
                self._exchange = Exchange(step.command, reply.prompt.strip())
                return [*events, Send(step.command)]
            if isinstance(step, Pause):
                self.wake_after = step.seconds
                return events
            return events + (self._give_up(step) if step else self._finish())

    def _step(self, reply: Reply) -> Run | Pause | Enter | GiveUp | None:
        if self._script is None:
            self._script = bring_up(self._wanted)
            return next(self._script)
        try:
            return self._script.send(reply)
        except StopIteration:
            return None

    def _finish(self) -> list[BootEvent]:
        """Say so on the console, for whoever reads its record later, and leave it logged out.

        `!` begins a comment. `exit` may be typed ahead, since a comment takes no time.
        """
        self._over = True
        verdict = Send(f"! labctl: phase ready, {self._errors} errors")
        return [verdict, Send("exit"), *self._entered("ready")]

    def _entered(self, phase: str) -> list[BootEvent]:
        events: list[BootEvent] = []
        for event in self._dialogue.enter(phase):
            if isinstance(event, Ready):
                events.append(Ready(event.offset, self._errors))
            elif isinstance(event, PhaseEntered):
                events.append(event)
        return events

    def _give_up(self, step: GiveUp) -> list[BootEvent]:
        self._over = True
        return [Fault(step.fault, step.line, self._dialogue.offset, step.explanation)]

    def _is_start(self, phase: str) -> bool:
        """Whether a machine that shows this phase was started anew."""
        return self._names.index(phase) < self._names.index("poap")

    def _start_over(self) -> None:
        self._script = self._exchange = self._open = self.wake_after = None
        self._answered = ""
        self._errors = 0

    def _closes(self, prompt: PromptSeen, line: str) -> bool:
        """Whether a line that ended says that nobody waits at the prompt any more."""
        own, behind = prompt.text in line, line.rpartition(prompt.text)[2].strip()
        if self._silent:  # blank too: passwords have no echo
            return own and not is_syslog(behind)
        return prompt.kind == "poap" and bool(behind) and not is_syslog(line)


def answer_to(prompt: PromptSeen) -> Send:
    """The word of a PromptRule as what to type."""
    if prompt.answer == "password":
        return Send(secret=SECRET)
    if prompt.answer == "space":
        return Send(" ", enter=False)
    words = {"user": USER, "enter": ""}
    return Send(words.get(prompt.answer, prompt.answer))
