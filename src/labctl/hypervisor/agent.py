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
from collections.abc import Sequence
from shlex import join
from time import monotonic, sleep
from typing import Any

import libvirt
import libvirt_qemu

from labctl.errors import DeadlineError, HypervisorError
from labctl.hypervisor.api import CommandResult, GuestProgram
from labctl.hypervisor.domains import need
from labctl.hypervisor.refusal import describe, translate

PING_SECONDS = 2
"""How long a running agent may take for the ping of agent_ready."""
_FIRST_PAUSE, _LONGEST_PAUSE = 0.02, 0.1
_NOT_STARTED = 127
"""As a shell says it."""
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
    connection: libvirt.virConnect, name: str, argv: tuple[str, ...], *, deadline: float
) -> CommandResult:
    """Run `argv` in the guest (no shell), wait at most `deadline` seconds for its end.

    A returncode below zero is the number of the signal that ended it. Raises DeadlineError when
    it does not end in time (it is killed then), HypervisorError when the agent can't be reached,
    can't start the program or had to cut its output.
    """
    end = monotonic() + deadline
    agent = _Agent(need(connection, name), name, end)
    pid = agent.start(GuestProgram(argv))
    result = agent.wait_for_exit(argv, pid, end)
    if result is None:
        agent.kill(pid)
        raise _too_late(name, argv, deadline)
    return result


def run_together(
    connection: libvirt.virConnect,
    name: str,
    programs: Sequence[GuestProgram],
    *,
    each: float,
    deadline: float,
) -> tuple[CommandResult, ...]:
    """Run all `programs` in the guest at once; the results, in order, within `deadline` seconds.

    One that takes longer than `each` seconds is killed (returncode -9, with what it had printed).
    One that can't be started has returncode 127, and the reason in stderr. Else as run_in_guest.
    """
    now = monotonic()
    agent = _Agent(need(connection, name), name, now + deadline)
    started = [_start(agent, program) for program in programs]
    results = []
    for argv, pid in zip((program.argv for program in programs), started, strict=True):
        if isinstance(pid, CommandResult):
            results.append(pid)
            continue
        result = agent.wait_for_exit(argv, pid, now + each)
        if result is None:
            agent.kill(pid)
            result = agent.wait_for_exit(argv, pid, now + deadline)
        if result is None:
            raise _too_late(name, argv, deadline)
        results.append(result)
    return tuple(results)


def _start(agent: _Agent, program: GuestProgram) -> int | CommandResult:
    try:
        return agent.start(program)
    except CantStart as error:
        return CommandResult(_NOT_STARTED, "", error.brief)


def _too_late(name: str, argv: tuple[str, ...], deadline: float) -> DeadlineError:
    return DeadlineError(
        f"`{join(argv)}` on {name} did not end within {deadline:g} s",
        resolution=f"see what {name} is busy with: `labctl logs`, `labctl console`",
    )


class CantStart(HypervisorError):
    """The guest has no such program, or may not run it."""


class _Agent:
    """One guest's agent, until the monotonic time `end`."""

    def __init__(self, domain: libvirt.virDomain, name: str, end: float) -> None:
        self._domain = domain
        self._name = name
        self._end = end

    def start(self, program: GuestProgram) -> int:
        """The pid of a program started in the guest."""
        path, *words = program.argv
        request = {"path": path, "arg": words, "capture-output": True}
        if program.stdin:
            request["input-data"] = base64.b64encode(program.stdin.encode()).decode()
        pid: int = self._ask("guest-exec", request, program.argv)["pid"]
        return pid

    def _ask(self, command: str, arguments: dict[str, Any], argv: tuple[str, ...]) -> Any:
        """The agent's answer to one QMP-like command, on behalf of `argv`.

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
                    raise self._failure(error, join(argv)) from error
                sleep(_LONGEST_PAUSE)
            else:
                return json.loads(answer)["return"]

    def wait_for_exit(self, argv: tuple[str, ...], pid: int, end: float) -> CommandResult | None:
        """What came of a program that ended, None when it did not by the time `end`."""
        pause = _FIRST_PAUSE
        while True:
            status: dict[str, Any] = self._ask("guest-exec-status", {"pid": pid}, argv)
            if status["exited"]:
                return self._result(argv, status)
            if monotonic() + pause > end:
                return None
            sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    def kill(self, pid: int) -> None:
        """End a command that took too long; it may have ended by itself, or the guest be stuck."""
        with contextlib.suppress(HypervisorError):
            argv = ("kill", "-KILL", str(pid))
            self._ask("guest-exec", {"path": argv[0], "arg": list(argv[1:])}, argv)

    def _result(self, argv: tuple[str, ...], status: dict[str, Any]) -> CommandResult:
        if status.get("out-truncated") or status.get("err-truncated"):
            raise HypervisorError(
                f"`{join(argv)}` on {self._name} printed more than its agent can hold",
                resolution="ask for less at once",
            )
        out, err = _text(status, "out-data"), _text(status, "err-data")
        return CommandResult(_returncode(status), out, err)

    def _failure(self, error: libvirt.libvirtError, command: str) -> HypervisorError:
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
            return CantStart(
                f"can't run `{command}` on {self._name}: {refused.group(1)}",
                details=describe(error),
                resolution="see what programs the guest has",
                causes=(error,),
            )
        if _TOO_LONG in words:
            return HypervisorError(
                f"`{command}` on {self._name} printed more than libvirt passes on",
                details=words,
                resolution="its agent can't be reached until it is started again: `labctl down` "
                "and `labctl up`; then ask for less at once",
                causes=(error,),
            )
        return translate(error, f"run `{command}` on {self._name}")


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
