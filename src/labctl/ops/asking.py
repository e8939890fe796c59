"""Commands asked of nodes, each in its family's way: its guest agent, or its serial console."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from labctl.devices import agent
from labctl.devices.nxos.session import commands as nexus_commands
from labctl.devices.registry import agent_device_for
from labctl.errors import LabctlError
from labctl.hypervisor.api import DomainState, Hypervisor
from labctl.model.identity import domain_name
from labctl.model.platform import Platform
from labctl.ops.context import Context
from labctl.ops.converse import converse

NODE_DEADLINE = 120.0
"""Seconds for one batch of an agent, or for one command on a console."""
Ask = Callable[[str, tuple[str, ...]], Mapping[str, str]]
"""Node, commands -> the output of each that ran; LabctlError for a node that can't be asked."""


def asker(
    ctx: Context, hypervisor: Hypervisor, lab: str, platform_of: Mapping[str, Platform]
) -> Ask:
    """Ask the lab's nodes; `platform_of` is each node's platform."""

    def ask(node: str, commands: tuple[str, ...]) -> Mapping[str, str]:
        domain = hypervisor.domain(domain_name(lab, node))
        if domain is None or domain.state is not DomainState.RUNNING:
            raise LabctlError(f"its machine is {domain.state.value if domain else 'gone'}")
        platform = platform_of[node]
        if platform.automation == "console":
            session = nexus_commands(platform, host=node, lines=commands)
            outputs = converse(ctx, hypervisor, session, lab=lab, node=node, deadline=NODE_DEADLINE)
            return {output.command: output.text for output in outputs}
        device = agent_device_for(platform.device)
        return agent.ask(device, commands, lambda batch: _run(hypervisor, lab, node, batch))

    return ask


def _run(hypervisor: Hypervisor, lab: str, node: str, batch: agent.Batch) -> str:
    done = hypervisor.run_in_guest(
        domain_name(lab, node), batch.argv, deadline=NODE_DEADLINE, input_text=batch.input_text
    )
    if done.returncode:
        raise LabctlError(f"{node} ended the batch with {done.returncode}: {done.stderr}")
    return done.stdout
