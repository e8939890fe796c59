"""What is told where `up` or `rebuild` was interrupted: what is done, what is left, what next."""

from __future__ import annotations

from collections.abc import Sequence

from labctl.errors import Interrupted
from labctl.ops.results import NodeOutcome


def cut_off(lab: str, outcomes: Sequence[NodeOutcome], command: str) -> Interrupted:
    """`command` (up or rebuild) was interrupted before all nodes were ready."""
    ready = [outcome.node for outcome in outcomes if outcome.error is None]
    left = [outcome.node for outcome in outcomes if outcome.error is not None]
    again = f"up {lab}" if command == "up" else " --node ".join([f"rebuild {lab}", *left])
    return Interrupted(
        f"{command} of {lab} was interrupted",
        details=f"done: {', '.join(ready) or 'no node'}\nleft: {', '.join(left) or 'no node'}",
        resolution=f"`labctl {again}` takes it on, `labctl destroy {lab}` removes it all",
    )


def cut_off_in_verify(lab: str, command: str) -> Interrupted:
    """`command` was interrupted with all nodes ready."""
    return Interrupted(
        f"{command} of {lab} was interrupted while its fabric converged",
        details="done: every node is ready\nleft: the fabric was not healthy yet",
        resolution=f"`labctl verify {lab} --wait 180` looks further",
    )
