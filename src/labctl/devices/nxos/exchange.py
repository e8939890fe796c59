"""One command at a prompt, and what comes back until the next prompt."""

from __future__ import annotations

from labctl.console.events import LineEnded
from labctl.devices.nxos.lines import is_syslog


class Exchange:
    """Collects the output of one command, without its echo and the system's own messages.

    A prompt that comes before the echo is an old one (Enter was pressed twice, say) and does not
    end the command. Whatever line comes first that is no bare prompt counts as the echo, since a
    message printed into it can spoil it.
    """

    def __init__(self, command: str, prompt: str) -> None:
        self.command = command
        self._prompt = prompt
        self._echoed = not command
        self._output: list[str] = []

    def line(self, event: LineEnded) -> None:
        """A line has come to its end."""
        if not self._echoed:
            self._echoed = bool(event.text.replace(self._prompt, "").strip())
        elif not is_syslog(event.text):
            self._output.append(event.text + "\n" * event.whole)

    def ends(self) -> bool:
        """Whether a prompt that is seen now ends the command."""
        return self._echoed

    @property
    def output(self) -> str:
        """What came back, line by line."""
        return "".join(self._output)
