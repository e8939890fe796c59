"""Commands in a guest through qemu-guest-agent: the automation channel (docs/adr/0004).

Each command is its own message with exit code and output apart, works over remote URIs and
leaves the serial console to the user.
"""

from __future__ import annotations

import base64
import contextlib
import json
import math
import re
from shlex import join
from time import monotonic, sleep
from typing import Any

import libvirt
import libvirt_qemu

from labctl.errors import DeadlineError, HypervisorError
from labctl.hypervisor.api import CommandResult
from labctl.hypervisor.domains import need
from labctl.hypervisor.refusal import describe, translate

PING_SECONDS = 2
"""How long a running agent may take for the ping of agent_ready."""
_FIRST_PAUSE, _LONGEST_PAUSE = 0.02, 0.1
# libvirt has one code for all that is wrong with an agent; these words don't heal within seconds.
_DEAD = ("not connected", "due to an error", "disappeared")
_REFUSED = re.compile("error was '(.*)'")
_TOO_LONG = "No complete agent response"

# Guest off, booting, agent not started yet: all heal by waiting.
_NOT_YET = frozenset(
    {
        libvirt.VIR_ERR_AGENT_UNRESPONSIVE,
        libvirt.VIR_ERR_AGENT_UNSYNCED,
        libvirt.VIR_ERR_OPERATION_INVALID,
    }
)


def agent_ready(connection: libvirt.virConnect, name: str) -> bool:
    """Whether the guest's agent answers now; False while the guest is off or boots.

    HypervisorError for what waiting can't heal: no such domain, no agent channel in its XML.
    """
    domain = need(connection, name)
    try:
        libvirt_qemu.qemuAgentCommand(domain, '{"execute": "guest-ping"}', PING_SECONDS, 0)
    except libvirt.libvirtError as error:
        if error.get_error_code() in _NOT_YET:
            return False
        raise translate(error, f"ask the agent of {name}") from error
    return True


def run_in_guest(
    connection: libvirt.virConnect,
    name: str,
    argv: tuple[str, ...],
    *,
    deadline: float,
    input_text: str,
) -> CommandResult:
    """Run `argv` in the guest (no shell), wait at most `deadline` seconds for its end.

    A returncode below zero is the number of the signal that ended it. Raises DeadlineError when
    it does not end in time (it is killed then), HypervisorError when the agent can't be reached,
    can't start the program or had to cut its output.
    """
    agent = _Agent(need(connection, name), name, join(argv), monotonic() + deadline)
    request: dict[str, Any] = {"path": argv[0], "arg": list(argv[1:]), "capture-output": True}
    if input_text:
        request["input-data"] = base64.b64encode(input_text.encode()).decode()
    pid = agent.ask("guest-exec", request)["pid"]
    status = agent.wait_for_exit(pid)
    if status is None:
        agent.kill(pid)
        raise DeadlineError(
            f"`{join(argv)}` on {name} did not end within {deadline:g} s",
            resolution=f"see what {name} is busy with: `labctl logs`, `labctl console`",
        )
    if status.get("out-truncated") or status.get("err-truncated"):
        raise HypervisorError(
            f"`{join(argv)}` on {name} printed more than its agent can hold",
            resolution="ask for less at once",
        )
    return CommandResult(_returncode(status), _text(status, "out-data"), _text(status, "err-data"))


class _Agent:
    """One guest's agent, for as long as one command may take."""

    def __init__(self, domain: libvirt.virDomain, name: str, command: str, end: float) -> None:
        self._domain = domain
        self._name = name
        self._command = command
        self._end = end

    def ask(self, command: str, arguments: dict[str, Any]) -> Any:
        """The agent's answer to one QMP-like command.

        An agent too busy to answer libvirt's greeting in time is asked again: the command itself
        may take all the time there is, so one that fails earlier was never given to the agent.
        """
        text = json.dumps({"execute": command, "arguments": arguments})
        while True:
            seconds = max(1, math.ceil(self._end - monotonic()))
            try:
                answer = libvirt_qemu.qemuAgentCommand(self._domain, text, seconds, 0)
            except libvirt.libvirtError as error:
                if not _is_busy(error) or monotonic() + _LONGEST_PAUSE > self._end:
                    raise self._failure(error) from error
                sleep(_LONGEST_PAUSE)
            else:
                return json.loads(answer)["return"]

    def wait_for_exit(self, pid: int) -> dict[str, Any] | None:
        """The status of a command that ended, None when the time ran out first."""
        pause = _FIRST_PAUSE
        while True:
            status: dict[str, Any] = self.ask("guest-exec-status", {"pid": pid})
            if status["exited"]:
                return status
            if monotonic() + pause > self._end:
                return None
            sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    def kill(self, pid: int) -> None:
        """End a command that took too long; it may have ended by itself, or the guest be stuck."""
        with contextlib.suppress(HypervisorError):
            self.ask("guest-exec", {"path": "kill", "arg": ["-KILL", str(pid)]})

    def _failure(self, error: libvirt.libvirtError) -> HypervisorError:
        words = error.get_error_message() or str(error)
        if error.get_error_code() in _NOT_YET:
            return HypervisorError(
                f"the guest agent of {self._name} does not answer",
                details=words,
                resolution="the guest is off, still booting or hangs: `labctl status` and "
                "`labctl logs` tell which",
                causes=(error,),
            )
        if refused := _REFUSED.search(words):
            return HypervisorError(
                f"can't run `{self._command}` on {self._name}: {refused.group(1)}",
                details=describe(error),
                resolution="see what programs the guest has",
                causes=(error,),
            )
        if _TOO_LONG in words:
            return HypervisorError(
                f"`{self._command}` on {self._name} printed more than libvirt passes on",
                details=words,
                resolution="its agent can't be reached until it is started again: `labctl down` "
                "and `labctl up`; then ask for less at once",
                causes=(error,),
            )
        return translate(error, f"run `{self._command}` on {self._name}")


def _is_busy(error: libvirt.libvirtError) -> bool:
    """Whether the agent is there, but had no time."""
    words = error.get_error_message() or ""
    return error.get_error_code() in (
        libvirt.VIR_ERR_AGENT_UNRESPONSIVE,
        libvirt.VIR_ERR_AGENT_UNSYNCED,
    ) and not any(sign in words for sign in _DEAD)


def _returncode(status: dict[str, Any]) -> int:
    return -status["signal"] if "signal" in status else int(status["exitcode"])


def _text(status: dict[str, Any], key: str) -> str:
    return base64.b64decode(status.get(key, "")).decode(errors="replace")
