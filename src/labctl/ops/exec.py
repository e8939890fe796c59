"""Run a command on nodes, through their guest agent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from labctl.devices.registry import device_for
from labctl.errors import LabctlError
from labctl.hypervisor.api import ObservedDomain
from labctl.model.platform import Platform
from labctl.ops.context import Context
from labctl.ops.results import ExecResult
from labctl.ops.runner import run_nodes
from labctl.ops.target import Target, existing

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

    It goes to the device's own command line (vtysh on FRR switches, the shell on hosts); with
    `shell` always to the guest's shell.
    """
    from labctl.topology.platforms import load_platforms

    platforms = load_platforms()
    results: dict[str, ExecResult] = {}
    with existing(ctx, ref, nodes) as target:

        def task(node: str) -> None:
            domain = target.domains[node]
            argv = _argv(platforms, domain, command, shell=shell)
            results[node] = _run(target, domain, node, argv, command, deadline)

        run_nodes(ctx, "exec", list(target.domains), task, width=_WIDTH)
    return tuple(results[node] for node in target.domains if node in results)


def _argv(
    platforms: Mapping[str, Platform], domain: ObservedDomain, command: str, *, shell: bool
) -> tuple[str, ...]:
    platform = platforms.get(domain.metadata.platform) if domain.metadata else None
    name = "linux" if shell or platform is None else platform.device
    return device_for(name).argv(command)


def _run(
    target: Target,
    domain: ObservedDomain,
    node: str,
    argv: tuple[str, ...],
    command: str,
    deadline: float,
) -> ExecResult:
    try:
        done = target.hypervisor.run_in_guest(domain.name, argv, deadline=deadline)
    except LabctlError as error:
        return ExecResult(node, command, -1, "", "", error)
    return ExecResult(node, command, done.returncode, done.stdout, done.stderr)
