"""Gather evidence from a running lab: what to ask each node, and asking it.

Nothing here knows how a node is spoken to: the caller hands that over.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from concurrent.futures import Executor, wait
from dataclasses import replace

from labctl.devices.api import Device
from labctl.errors import ConsoleBusy, LabctlError
from labctl.model.intent import Intent
from labctl.model.platform import Platform
from labctl.verify.evidence import Evidence
from labctl.verify.fabric import Fabric
from labctl.verify.pings import plan_pings

HELD = "somebody holds its console: leave it (Ctrl-]) and run verify again"
Ask = Callable[[str, tuple[str, ...]], Mapping[str, str]]
"""Type commands on a node; the outputs of those that ran, by command. Called from many threads
at once, for one node from one thread. LabctlError when the node can't be asked."""


def plan_commands(fabric: Fabric) -> Mapping[str, tuple[str, ...]]:
    """What to ask each node: its device's show commands, then its pings."""
    routing = fabric.intent.lab.fabric.routing
    plan = {
        name: list(fabric.devices[name].verify_commands(node, routing))
        for name, node in fabric.intent.nodes.items()
    }
    for ping in plan_pings(fabric):
        plan[ping.host].append(shlex.join(ping.argv))
    return {name: tuple(dict.fromkeys(commands)) for name, commands in plan.items()}


def collect(
    intent: Intent, platforms: Mapping[str, Platform], ask: Ask, executor: Executor
) -> Evidence:
    """Ask every node, VTEPs after the hosts: their pings make VTEPs learn what they are asked.

    A node that can't be asked is unreachable, with the reason, or held, where it is its console
    that somebody else is at; the others are asked all the same.
    """
    fabric = Fabric(intent, Evidence(), platforms)
    plan = plan_commands(fabric)
    outputs: dict[tuple[str, str], str] = {}
    unreachable: dict[str, str] = {}
    held: dict[str, str] = {}

    def answers(name: str) -> tuple[str, Mapping[str, str] | LabctlError]:
        try:
            return name, _answers(fabric.devices[name], name, plan[name], ask)
        except LabctlError as error:
            return name, error

    hosts, vteps = fabric.hosts, fabric.vteps
    pinging = [executor.submit(answers, name) for name in hosts]
    others = [name for name in plan if name not in hosts and name not in vteps]
    asked = [*pinging, *(executor.submit(answers, name) for name in others)]
    wait(pinging)
    asked += [executor.submit(answers, name) for name in vteps]
    for future in asked:
        name, answer = future.result()
        if isinstance(answer, ConsoleBusy):
            held[name] = HELD
        elif isinstance(answer, LabctlError):
            unreachable[name] = answer.brief
        else:
            outputs |= {(name, command): text for command, text in answer.items()}
    return replace(Evidence.of(outputs, unreachable), held=held)


def _answers(device: Device, name: str, commands: tuple[str, ...], ask: Ask) -> Mapping[str, str]:
    """The outputs of `commands`, and of those to ask besides where one of them says nothing."""
    outputs = ask(name, commands)
    more = (device.follow_up(command, text) for command, text in outputs.items())
    missing = tuple(dict.fromkeys(command for command in more if command))
    return {**outputs, **ask(name, missing)} if missing else outputs
