"""Commands asked of nodes, each in its family's way: its guest agent, or its serial console."""

from __future__ import annotations

import signal
from collections.abc import Callable, Collection, Mapping, Sequence

from labctl.devices import agent
from labctl.devices.nxos.session import commands as nexus_commands
from labctl.devices.registry import agent_device_for
from labctl.errors import LabctlError
from labctl.hypervisor.api import DomainState, GuestProgram, Hypervisor
from labctl.model.identity import domain_name
from labctl.model.platform import Platform
from labctl.ops.awakening import await_agent
from labctl.ops.context import Context
from labctl.ops.converse import converse

NODE_DEADLINE = 120.0
"""Seconds for all that an agent is asked at once, or for one command on a console."""
_COMMAND_SECONDS = 40.0
"""For a single program of these: a hung daemon must not take the other outputs with it."""
Ask = Callable[[str, tuple[str, ...]], Mapping[str, str]]
"""Node, commands -> the output of each that ran; LabctlError for a node that can't be asked."""


def asker(
    ctx: Context,
    hypervisor: Hypervisor,
    lab: str,
    platform_of: Mapping[str, Platform],
    *,
    awakening: Collection[str] = (),
) -> Ask:
    """Ask the lab's nodes; `platform_of` is each node's platform.

    Nodes that are `awakening` have just gone on from saved memory: their agents are waited for.
    """

    def ask(node: str, commands: tuple[str, ...]) -> Mapping[str, str]:
        domain = hypervisor.domain(domain_name(lab, node))
        if domain is None or domain.state is not DomainState.RUNNING:
            raise LabctlError(f"its machine is {domain.state.value if domain else 'gone'}")
        platform = platform_of[node]
        if platform.automation == "console":
            session = nexus_commands(platform, host=node, lines=commands)
            outputs = converse(ctx, hypervisor, session, lab=lab, node=node, deadline=NODE_DEADLINE)
            return {output.command: output.text for output in outputs}
        if node in awakening:
            await_agent(ctx, hypervisor, domain.name)
        return agent.ask(
            agent_device_for(platform.device),
            commands,
            lambda programs: _run(hypervisor, domain.name, programs),
        )

    return ask


def _run(
    hypervisor: Hypervisor, domain: str, programs: Sequence[agent.Program]
) -> tuple[agent.Said, ...]:
    asked = [GuestProgram(program.argv, program.stdin) for program in programs]
    results = hypervisor.run_together(domain, asked, each=_COMMAND_SECONDS, deadline=NODE_DEADLINE)
    return tuple(
        agent.Said(done.stdout + done.stderr, done.returncode == -signal.SIGKILL)
        for done in results
    )
