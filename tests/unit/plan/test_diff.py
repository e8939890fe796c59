"""A plan touches what changed and nothing else, and says why."""

from __future__ import annotations

from dataclasses import replace

import pytest

from labctl.hypervisor.api import DomainState, ObservedDomain, ObservedNetwork
from labctl.model.desired import Day0, Desired, DesiredNode
from labctl.model.intent import NodeIntent
from labctl.model.lab import Node, Role
from labctl.model.metadata import LabMetadata
from labctl.plan.diff import Observed, diff
from labctl.plan.model import Action, ActionKind

DIGESTS = {"hardware": "h", "config": "c", "image": "i"}
PORTS = {"eth1": (10000, 10001)}
SUBNET = "198.18.7.0/24"


def wanted(name: str) -> DesiredNode:
    node = Node(name, Role.LEAF, 1, "frr", "frr", memory=256, vcpus=1)
    intent = NodeIntent(node, {}, None, None, ())
    return DesiredNode(intent, "<domain/>", Day0("LABCTL", {}, "c"), DIGESTS, "s", PORTS)


def found(name: str) -> ObservedDomain:
    mark = LabMetadata("demo", name, "leaf", "frr", "1", "s", DIGESTS, PORTS)
    return ObservedDomain(
        f"demo.{name}", "uuid", DomainState.RUNNING, 256, 1, mark, (), (), ("disk",)
    )


NODES = ("leaf-1", "leaf-2")
DESIRED = Desired("demo", {name: wanted(name) for name in NODES}, "<network/>", SUBNET)
NETWORK = ObservedNetwork("labctl-demo", "uuid", True, "lab-1", (SUBNET,), "demo")
OBSERVED = Observed({name: found(name) for name in NODES}, set(NODES), NETWORK)


def with_leaf_1(**changes: object) -> Observed:
    domain = found("leaf-1")._replace(**changes)  # type: ignore[arg-type]
    return replace(OBSERVED, domains={"leaf-1": domain, "leaf-2": found("leaf-2")})


def marked(**changes: object) -> Observed:
    mark = found("leaf-1").metadata
    assert mark is not None
    return with_leaf_1(metadata=mark._replace(**changes))  # type: ignore[arg-type]


def test_nothing_to_do() -> None:
    plan = diff(DESIRED, OBSERVED)
    assert plan.empty
    assert plan.unchanged == NODES


def test_everything_is_new() -> None:
    plan = diff(DESIRED, Observed({}, set(), None))
    assert [(a.kind, a.node) for a in plan.actions] == [
        (ActionKind.CREATE_NETWORK, ""),
        (ActionKind.CREATE, "leaf-1"),
        (ActionKind.CREATE, "leaf-2"),
    ]


@pytest.mark.parametrize(
    ("observed", "kind", "reason"),
    [
        (with_leaf_1(memory=512), ActionKind.RESTART, "memory 512 -> 256 MiB"),
        (with_leaf_1(vcpus=2), ActionKind.RESTART, "vcpus 2 -> 1"),
        (marked(ports={}), ActionKind.RESTART, "wiring of eth1 changed"),
        (marked(digests={**DIGESTS, "hardware": "x"}), ActionKind.RESTART, "hardware changed"),
        (marked(digests={**DIGESTS, "config": "x"}), ActionKind.REBUILD, "day-0 configuration"),
        (marked(digests={**DIGESTS, "image": "x"}), ActionKind.REBUILD, "golden image changed"),
        (with_leaf_1(state=DomainState.SHUT_OFF), ActionKind.START, "is shut off"),
        (with_leaf_1(state=DomainState.CRASHED), ActionKind.START, "is crashed"),
        (with_leaf_1(state=DomainState.PAUSED), ActionKind.RESUME, "is paused"),
        (replace(OBSERVED, complete={"leaf-2"}), ActionKind.REBUILD, "is missing"),
    ],
)
def test_only_the_changed_node(observed: Observed, kind: ActionKind, reason: str) -> None:
    plan = diff(DESIRED, observed)
    (action,) = plan.actions
    assert (action.kind, action.node) == (kind, "leaf-1")
    assert reason in action.reason
    assert plan.unchanged == ("leaf-2",)


def test_paused_nodes_stay_when_asked() -> None:
    assert diff(DESIRED, with_leaf_1(state=DomainState.PAUSED), paused=True).empty


def test_node_that_left_the_file() -> None:
    desired = DESIRED._replace(nodes={"leaf-1": wanted("leaf-1")})
    assert diff(desired, OBSERVED).actions == (
        Action(ActionKind.REMOVE, "leaf-2", "no longer in the file"),
    )


def test_only_limits_the_plan() -> None:
    observed = Observed({}, set(), NETWORK)
    plan = diff(DESIRED, observed, only=["leaf-2"])
    assert [(a.kind, a.node) for a in plan.actions] == [(ActionKind.CREATE, "leaf-2")]
    assert plan.left_out == (Action(ActionKind.CREATE, "leaf-1", "not there yet"),)
    assert plan.unchanged == ()


def test_a_node_not_asked_for_is_unchanged_only_where_it_is_as_the_file_wants() -> None:
    off = with_leaf_1(state=DomainState.SHUT_OFF)
    assert diff(DESIRED, off, only=["leaf-2"]).unchanged == ("leaf-2",)
    assert diff(DESIRED, OBSERVED, only=["leaf-2"]).unchanged == NODES


def test_forced_rebuild() -> None:
    plan = diff(DESIRED, OBSERVED, only=["leaf-2"], rebuild=["leaf-2"])
    assert plan.actions == (Action(ActionKind.REBUILD, "leaf-2", "asked for"),)


@pytest.mark.parametrize(
    ("network", "subnet", "kind"),
    [
        (None, "", None),
        (NETWORK, "", ActionKind.REMOVE_NETWORK),
        (NETWORK._replace(active=False), SUBNET, ActionKind.CREATE_NETWORK),
        (NETWORK._replace(subnets=("198.18.9.0/24",)), SUBNET, ActionKind.REPLACE_NETWORK),
    ],
)
def test_network(network: ObservedNetwork | None, subnet: str, kind: ActionKind | None) -> None:
    plan = diff(DESIRED._replace(subnet=subnet), replace(OBSERVED, network=network))
    assert [action.kind for action in plan.actions] == ([kind] if kind else [])
