"""Gather evidence from a running lab: what to run on each node, and running it.

Nothing here knows libvirt: the caller hands over how a batch is run in a node.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from concurrent.futures import Executor

from labctl.devices.api import Batch, Device
from labctl.errors import LabctlError
from labctl.model.intent import Intent
from labctl.verify.evidence import Evidence
from labctl.verify.fabric import Fabric
from labctl.verify.pings import plan_pings

Run = Callable[[str, Batch], str]
"""Run a batch in a node and return its output; LabctlError when the node can't be asked."""


def plan_commands(intent: Intent, devices: Mapping[str, Device]) -> Mapping[str, tuple[str, ...]]:
    """What to run on each node: its device's show commands, then its pings."""
    routing = intent.lab.fabric.routing
    plan = {
        name: list(devices[name].verify_commands(node, routing))
        for name, node in intent.nodes.items()
    }
    for ping in plan_pings(Fabric(intent, Evidence())):
        plan[ping.host].append(shlex.join(ping.argv))
    return {name: tuple(dict.fromkeys(commands)) for name, commands in plan.items()}


def collect(
    intent: Intent, devices: Mapping[str, Device], run: Run, executor: Executor
) -> Evidence:
    """Ask every node, hosts first: their pings make the leaves learn what they are then asked.

    A node that can't be asked is unreachable, with the reason; the others are asked all the same.
    """
    plan = plan_commands(intent, devices)
    hosts = [name for name, node in intent.nodes.items() if not node.node.role.is_switch]
    switches = [name for name in intent.nodes if name not in hosts]
    outputs: dict[tuple[str, str], str] = {}
    unreachable: dict[str, str] = {}

    def ask(name: str) -> tuple[str, Mapping[str, str] | LabctlError]:
        try:
            return name, _ask(devices[name], plan[name], lambda batch: run(name, batch))
        except LabctlError as error:
            return name, error

    for group in (hosts, switches):
        for name, answer in executor.map(ask, group):
            if isinstance(answer, LabctlError):
                unreachable[name] = answer.brief
            else:
                outputs |= {(name, command): text for command, text in answer.items()}
    return Evidence.of(outputs, unreachable)


def _ask(
    device: Device, commands: tuple[str, ...], run: Callable[[Batch], str]
) -> Mapping[str, str]:
    """The outputs of `commands`: as many batches as it takes until each has run or none runs."""
    outputs: dict[str, str] = {}
    left = commands
    while left:
        answered = device.unbatch(left, run(device.batch(left)))
        if not answered:
            break
        outputs |= answered
        left = tuple(command for command in left if command not in outputs)
    return outputs
