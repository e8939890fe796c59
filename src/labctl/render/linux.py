"""What an end host's templates need to know of a node."""

from __future__ import annotations

from collections.abc import Iterator

from labctl.model.intent import BOND, FABRIC_MTU, LAST_METRIC, LinkKind, NodeIntent
from labctl.model.lab import Fabric
from labctl.model.platform import Platform
from labctl.model.site import Site
from labctl.render.environment import Verbatim

_HOST_MTU = 1500
_FIRST_TABLE = 1001


def context(
    node: NodeIntent, _fabric: Fabric, _platform: Platform, _site: Site
) -> dict[str, object]:
    """The variables of templates/day0/linux, beyond those that all devices have.

    `extra_config` are further lines of the ip batch.
    """
    return {
        "ports": [
            (port.name, FABRIC_MTU if port.kind is LinkKind.EXTRA else _HOST_MTU)
            for port in node.ports
        ],
        "bond": BOND,
        "bonded": [port.name for port in node.ports if port.channel],
        "legs": list(_legs(node)),
        "last_metric": LAST_METRIC,
        "extra_config": Verbatim(node.node.extra_config.rstrip("\n")),
    }


def _legs(node: NodeIntent) -> Iterator[dict[str, object]]:
    for table, leg in enumerate(node.legs, _FIRST_TABLE):
        yield {
            "port": leg.port,
            "vlan": leg.vlan,
            "device": leg.port if leg.vlan is None else f"{leg.port}.{leg.vlan}",
            "vrf": leg.vrf,
            "table": table,
            "address": leg.address,
            "gateway": leg.gateway,
        }
