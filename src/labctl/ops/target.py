"""Which nodes of an existing lab a command means."""

from __future__ import annotations

import contextlib
import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from labctl.errors import LabctlError, UsageError
from labctl.hypervisor.api import DomainState, Hypervisor, ObservedDomain
from labctl.ops.belongings import domains_of
from labctl.ops.context import Context
from labctl.ops.labs import no_such_lab
from labctl.ops.load import lab_name

_STILL = (DomainState.SHUT_OFF, DomainState.CRASHED, DomainState.PAUSED)


@dataclass(frozen=True, slots=True)
class Target:
    """A lab that is there, and the chosen ones of its domains by node name."""

    lab: str
    hypervisor: Hypervisor
    domains: Mapping[str, ObservedDomain]


@contextlib.contextmanager
def existing(ctx: Context, ref: str, nodes: Sequence[str] = ()) -> Iterator[Target]:
    """Connect and find the lab's domains, all or those of `nodes`.

    Raises UsageError when the lab has no domains, or no such node.
    """
    lab = lab_name(ref, ctx.home)
    with contextlib.closing(ctx.connect(ctx.uri)) as hypervisor:
        yield Target(lab, hypervisor, chosen(lab, hypervisor, nodes))


def chosen(lab: str, hypervisor: Hypervisor, nodes: Sequence[str]) -> Mapping[str, ObservedDomain]:
    """The lab's domains named by `nodes`; all of them when `nodes` is empty."""
    everything = hypervisor.domains()
    domains = domains_of(lab, everything)
    if not domains:
        known = {domain.metadata.lab for domain in everything if domain.metadata is not None}
        raise no_such_lab(f"no lab {lab!r} is up on {hypervisor.uri}", lab, known)
    check_nodes(lab, nodes, domains)
    return {name: domains[name] for name in nodes} if nodes else domains


def need_running(lab: str, node: str, domain: ObservedDomain) -> None:
    """Raise LabctlError when the node's machine is off or paused: nothing in it can answer."""
    if domain.state in _STILL:
        raise LabctlError(
            f"{node} is {domain.state.value}", resolution=f"labctl up {lab} --node {node}"
        )


def check_nodes(lab: str, nodes: Sequence[str], known: Mapping[str, object]) -> None:
    """Raise UsageError naming every one of `nodes` that the lab does not have."""
    unknown = [node for node in nodes if node not in known]
    if not unknown:
        return
    guesses = [difflib.get_close_matches(node, known, n=1) for node in unknown]
    meant = [guess[0] for guess in guesses if guess]
    raise UsageError(
        f"lab {lab} has no node {', '.join(map(repr, unknown))}",
        details="its nodes: " + ", ".join(known),
        resolution=f"did you mean {', '.join(meant)}?" if meant else "",
    )
