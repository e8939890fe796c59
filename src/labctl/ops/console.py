"""A node's serial console, for a person."""

from __future__ import annotations

from labctl.errors import ConsoleBusy, UsageError
from labctl.hypervisor.api import ConsoleStream, DomainState
from labctl.ops.context import Context
from labctl.ops.target import existing


def check_console(ctx: Context, ref: str, node: str) -> None:
    """Raise UsageError when there is no such lab or node."""
    with existing(ctx, ref, [node]):
        pass


def open_console(ctx: Context, ref: str, node: str, *, force: bool = False) -> ConsoleStream:
    """Attach to the node's first serial port; `force` takes it from whoever holds it.

    Raises UsageError when the machine does not run.
    """
    with existing(ctx, ref, [node]) as target:
        domain = target.domains[node]
        if domain.state not in (DomainState.RUNNING, DomainState.PAUSED):
            raise UsageError(
                f"{node} is {domain.state.value}: it has no console to attach to",
                resolution=f"start it: labctl up {ref} --node {node}; "
                f"what it said last: labctl logs {ref} {node}",
            )
        try:
            return target.hypervisor.open_console(domain.name, force=force)
        except ConsoleBusy as busy:
            busy.resolution = (
                f"`labctl console {ref} {node} --force` takes it over; "
                f"`labctl logs {ref} {node} -f` shows it without attaching"
            )
            raise
