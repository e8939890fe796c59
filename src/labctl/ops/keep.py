"""Have a node write its running configuration to where it outlives a stop, before it is stopped."""

from __future__ import annotations

from collections.abc import Mapping

from labctl.devices.api import Keep
from labctl.devices.nxos.session import commands
from labctl.devices.registry import agent_device_for, device_for
from labctl.errors import LabctlError
from labctl.model.platform import Platform
from labctl.ops.context import Context
from labctl.ops.converse import converse
from labctl.ops.target import Target, need_running


def keep_config(ctx: Context, platforms: Mapping[str, Platform], target: Target, node: str) -> bool:
    """Save the configuration on the node itself; False where it has none besides its day-0.

    Raises LabctlError when the node can't be asked or does not say that it is saved: it is not to
    be stopped then, or what was configured would be lost.
    """
    domain = target.domains[node]
    platform = platforms.get(domain.metadata.platform) if domain.metadata else None
    keep = device_for(platform.device).keep if platform else None
    if platform is None or keep is None:
        return False
    need_running(target.lab, node, domain)
    if platform.automation == "console":
        output = _over_console(ctx, target, platform, node, keep)
    else:
        argv = agent_device_for(platform.device).argv(keep.command)
        done = target.hypervisor.run_in_guest(domain.name, argv, deadline=keep.deadline)
        output = done.stdout + done.stderr
    if keep.proof not in output:
        raise LabctlError(
            f"{node} did not save its configuration, so it was not stopped",
            details=f"`{keep.command}` printed: {output.strip()[-500:]}",
            resolution=f"see what it says: `labctl console {target.lab} {node}`; "
            f"`labctl down {target.lab} --node {node}` stops it without saving",
        )
    return True


def _over_console(ctx: Context, target: Target, platform: Platform, node: str, keep: Keep) -> str:
    session = commands(platform, host=node, lines=[keep.command])
    (output,) = converse(
        ctx, target.hypervisor, session, lab=target.lab, node=node, deadline=keep.deadline
    )
    return "\n".join((output.text, *output.errors))
