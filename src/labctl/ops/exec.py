"""Run a command on nodes: through their guest agent, or over the console of those without one."""

from __future__ import annotations

from collections.abc import Sequence

from labctl.devices.nxos.session import commands
from labctl.devices.registry import agent_device_for
from labctl.errors import LabctlError, UsageError
from labctl.hypervisor.api import ObservedDomain
from labctl.model.platform import Platform
from labctl.ops.context import Context
from labctl.ops.converse import converse
from labctl.ops.results import ExecResult
from labctl.ops.runner import run_nodes
from labctl.ops.target import Target, existing, need_running

_WIDTH = 8


def execute(
    ctx: Context,
    ref: str,
    command: str,
    *,
    nodes: Sequence[str] = (),
    shell: bool = False,
    deadline: float = 60.0,
) -> tuple[ExecResult, ...]:
    """Run `command` on the nodes (all when none is named), in parallel, `deadline` seconds each.

    It goes to the device's own command line (vtysh on FRR switches, NX-OS on Nexus switches, the
    shell on hosts); with `shell` always to the guest's shell, which a Nexus has none of.
    """
    from labctl.topology.platforms import load_platforms

    platforms = load_platforms()
    results: dict[str, ExecResult] = {}
    with existing(ctx, ref, nodes) as target:

        def task(node: str) -> None:
            domain = target.domains[node]
            platform = platforms.get(domain.metadata.platform) if domain.metadata else None
            try:
                need_running(target.lab, node, domain)
                if platform is not None and platform.automation == "console":
                    run = _over_console(ctx, target, platform, node, command, deadline, shell=shell)
                else:
                    argv = _argv(platform, command, shell=shell)
                    run = _run(target, domain, node, argv, command, deadline)
            except LabctlError as error:
                run = ExecResult(node, command, -1, "", "", error)
            results[node] = run

        run_nodes(ctx, "exec", list(target.domains), task, width=_WIDTH)
    return tuple(results[node] for node in target.domains if node in results)


def _over_console(
    ctx: Context,
    target: Target,
    platform: Platform,
    node: str,
    command: str,
    deadline: float,
    *,
    shell: bool,
) -> ExecResult:
    if shell:
        raise UsageError(f"{node} is a {platform.name}: labctl reaches no shell on it")
    session = commands(platform, host=node, lines=[command])
    (output,) = converse(
        ctx, target.hypervisor, session, lab=target.lab, node=node, deadline=deadline
    )
    return ExecResult(node, command, 1 if output.errors else 0, output.text, "")


def _argv(platform: Platform | None, command: str, *, shell: bool) -> tuple[str, ...]:
    name = "linux" if shell or platform is None else platform.device
    return agent_device_for(name).argv(command)


def _run(
    target: Target,
    domain: ObservedDomain,
    node: str,
    argv: tuple[str, ...],
    command: str,
    deadline: float,
) -> ExecResult:
    done = target.hypervisor.run_in_guest(domain.name, argv, deadline=deadline)
    return ExecResult(node, command, done.returncode, done.stdout, done.stderr)
