"""Work on many nodes at once: bounded, every node to its own end, one failing never stops others.

Serial and threaded runs are the same code with another width, so tests can run serially.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from labctl.errors import ConnectionLost, ExitCode, Interrupted, LabctlError, PhaseError
from labctl.ops.context import Context
from labctl.ops.events import StepDone, StepFailed, StepStarted
from labctl.ops.results import NodeOutcome

Task = Callable[[str], None]
_POLL_SECONDS = 0.2


def run_nodes(
    ctx: Context, step: str, nodes: Sequence[str], task: Task, *, width: int
) -> tuple[NodeOutcome, ...]:
    """Run `task` for every node, at most `width` at a time; outcomes in the nodes' order.

    After an interrupt nothing new starts; the nodes not started are outcomes with Interrupted.
    Raises ConnectionLost, once what runs has ended, when libvirt went away: that is no node's
    failure.
    """
    outcomes: dict[str, NodeOutcome] = {}
    waiting = list(reversed(nodes))
    running: dict[Future[NodeOutcome], str] = {}
    with ThreadPoolExecutor(max_workers=max(1, width), thread_name_prefix=step) as pool:
        while waiting or running:
            while waiting and len(running) < width and not ctx.interrupt.is_set():
                node = waiting.pop()
                running[pool.submit(_one, ctx, step, node, task)] = node
            if ctx.interrupt.is_set():
                outcomes |= {node: _not_started(step, node) for node in waiting}
                waiting.clear()
            done, _ = wait(running, timeout=_POLL_SECONDS, return_when=FIRST_COMPLETED)
            outcomes |= {running.pop(future): future.result() for future in done}
            if any(_is_lost(outcome) for outcome in outcomes.values()):
                waiting.clear()
    _raise_if_lost(step, nodes, outcomes)
    return tuple(outcomes[node] for node in nodes)


def _is_lost(outcome: NodeOutcome) -> bool:
    return isinstance(outcome.error, ConnectionLost)


def _raise_if_lost(step: str, nodes: Sequence[str], outcomes: Mapping[str, NodeOutcome]) -> None:
    lost = next((o.error for o in outcomes.values() if o.error and _is_lost(o)), None)
    if lost is None:
        return
    done = [node for node in nodes if node in outcomes and outcomes[node].error is None]
    left = [node for node in nodes if node not in done]
    raise ConnectionLost(
        f"{step}: {lost.brief}",
        details=f"done: {', '.join(done) or 'no node'}\nleft: {', '.join(left)}\n{lost.details}",
        resolution=lost.resolution,
        causes=[lost],
    )


def _one(ctx: Context, step: str, node: str, task: Task) -> NodeOutcome:
    started = time.monotonic()
    ctx.emit(StepStarted(step, node))
    try:
        task(node)
    except LabctlError as error:
        seconds = time.monotonic() - started
        interrupted = error.exit_code == ExitCode.INTERRUPTED
        ctx.emit(StepFailed(step, seconds, node, error.brief, interrupted))
        if isinstance(error, PhaseError):
            return NodeOutcome(node, step, seconds, error.phase, error, error.tail)
        return NodeOutcome(node, step, seconds, "", error)
    seconds = time.monotonic() - started
    ctx.emit(StepDone(step, seconds, node))
    return NodeOutcome(node, step, seconds)


def _not_started(step: str, node: str) -> NodeOutcome:
    error = Interrupted(f"{step} of {node} was not started: the run was interrupted")
    return NodeOutcome(node, step, 0.0, "", error)
