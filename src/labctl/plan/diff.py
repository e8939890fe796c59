"""Desired against observed: which nodes must be touched, how, and why. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from labctl.hypervisor.api import DomainState, ObservedDomain, ObservedNetwork
from labctl.model.desired import Desired, DesiredNode
from labctl.plan.model import Action, ActionKind, Plan

_OFF = (DomainState.SHUT_OFF, DomainState.CRASHED)


@dataclass(frozen=True, slots=True)
class Observed:
    """What is there of one lab.

    `complete` names the nodes whose files (overlay and day-0) are in place, and of which no warm
    start was cut off; `network` is the lab's management network or None.
    """

    domains: Mapping[str, ObservedDomain]
    complete: Collection[str]
    network: ObservedNetwork | None


def diff(
    desired: Desired,
    observed: Observed,
    *,
    only: Collection[str] = (),
    rebuild: Collection[str] = (),
    paused: bool = False,
) -> Plan:
    """The plan from `observed` to `desired`.

    `only` limits it to those nodes (all when empty), `rebuild` forces nodes to be made anew,
    `paused` leaves paused machines as they are.
    """
    gone = [name for name in observed.domains if name not in desired.nodes]
    wanted = [Action(ActionKind.REMOVE, name, "no longer in the file") for name in gone]
    unchanged = []
    for name, node in desired.nodes.items():
        action = _node_action(name, node, observed, forced=name in rebuild, paused=paused)
        if action is None:
            unchanged.append(name)
        else:
            wanted.append(action)
    asked = [action for action in wanted if not only or action.node in only]
    left_out = [action for action in wanted if only and action.node not in only]
    actions = (*_network_actions(desired, observed), *asked)
    return Plan(desired.lab, actions, tuple(unchanged), tuple(left_out))


def _network_actions(desired: Desired, observed: Observed) -> list[Action]:
    network = observed.network
    if not desired.subnet:
        if network is None:
            return []
        return [Action(ActionKind.REMOVE_NETWORK, "", "the file has no management network")]
    if network is None:
        return [Action(ActionKind.CREATE_NETWORK, "", "not there yet")]
    if desired.subnet not in network.subnets:
        now = ", ".join(network.subnets) or "no subnet"
        reason = f"subnet {now} -> {desired.subnet}"
        return [Action(ActionKind.REPLACE_NETWORK, "", reason)]
    if not network.active:
        return [Action(ActionKind.CREATE_NETWORK, "", "defined, but not active")]
    return []


def _node_action(
    name: str, node: DesiredNode, observed: Observed, *, forced: bool, paused: bool
) -> Action | None:
    domain = observed.domains.get(name)
    if domain is None:
        return Action(ActionKind.CREATE, name, "not there yet")
    if forced:
        return Action(ActionKind.REBUILD, name, "asked for")
    if reason := _rebuild_reason(name, node, domain, observed):
        return Action(ActionKind.REBUILD, name, reason)
    changes = _hardware_changes(node, domain)
    if changes:
        return Action(ActionKind.RESTART, name, "; ".join(changes))
    if domain.state in _OFF:
        return Action(ActionKind.START, name, f"is {domain.state.value}")
    if domain.state is DomainState.PAUSED and not paused:
        return Action(ActionKind.RESUME, name, "is paused")
    return None


def _rebuild_reason(
    name: str, node: DesiredNode, domain: ObservedDomain, observed: Observed
) -> str:
    if name not in observed.complete:
        return "its overlay or day-0 medium is missing, or its warm start was cut off"
    had = domain.metadata.digests if domain.metadata else {}
    if had.get("image") != node.digests["image"]:
        return "golden image changed"
    if had.get("config") != node.digests["config"]:
        return "day-0 configuration changed"
    return ""


def _hardware_changes(node: DesiredNode, domain: ObservedDomain) -> list[str]:
    wanted = node.intent.node
    changes = []
    if domain.memory != wanted.memory:
        changes.append(f"memory {domain.memory} -> {wanted.memory} MiB")
    if domain.vcpus != wanted.vcpus:
        changes.append(f"vcpus {domain.vcpus} -> {wanted.vcpus}")
    had = domain.metadata
    if had is None:
        return [*changes, "labctl's mark is gone from the domain"]
    if dict(had.ports) != dict(node.ports):
        names = sorted(
            port
            for port in {*had.ports, *node.ports}
            if had.ports.get(port) != node.ports.get(port)
        )
        changes.append(f"wiring of {', '.join(names)} changed")
    if not changes and had.digests.get("hardware") != node.digests["hardware"]:
        changes.append("hardware changed")
    return changes
