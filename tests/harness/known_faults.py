"""One fault at a time: what is put into a fabric on paper, its cause, and who is to blame."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from labctl.verify.model import CauseKind

SPINES = frozenset({"spine-1", "spine-2"})
LINK = frozenset({"leaf-1", "spine-1"})
OTHER_LINK = frozenset({"leaf-1", "spine-2"})
WEB, DB, TENANT = 10010, 10020, 50001

FAULTS: list[tuple[dict[str, Any], CauseKind, Collection[str]]] = [
    ({"unreachable": {"leaf-2": "silent"}}, CauseKind.NODE_DOWN, {"leaf-2"}),
    ({"unreachable": {"spine-2": "silent"}}, CauseKind.NODE_DOWN, {"spine-2"}),
    ({"dead_daemons": {"leaf-2": "bgpd"}}, CauseKind.DAEMON_DOWN, {"leaf-2"}),
    ({"free_memory": {"leaf-2": 5000}}, CauseKind.LOW_MEMORY, {"leaf-2"}),
    ({"shut": {("leaf-1", "spine-1")}}, CauseKind.SESSION_SHUT, {"leaf-1"}),
    ({"shut": {("spine-1", "leaf-1")}}, CauseKind.SESSION_SHUT, {"spine-1"}),
    ({"shut": {("leaf-1", s) for s in SPINES}}, CauseKind.SESSION_SHUT, {"leaf-1"}),
    (
        {"not_configured": {("leaf-1", s) for s in SPINES}},
        CauseKind.SESSION_NOT_CONFIGURED,
        {"leaf-1"},
    ),
    (
        {"not_configured": {("spine-1", "leaf-1")}},
        CauseKind.SESSION_NOT_CONFIGURED,
        {"spine-1"},
    ),
    ({"links_down": {LINK}}, CauseKind.LINK_DOWN, {"leaf-1", "spine-1"}),
    (
        {"links_down": {LINK, OTHER_LINK}, "down": {LINK, OTHER_LINK}},
        CauseKind.UNDERLAY_DOWN,
        {"leaf-1"},
    ),
    ({"adrift": {"leaf-1"}}, CauseKind.UNDERLAY_DOWN, {"leaf-1"}),
    ({"down": {LINK}}, CauseKind.SESSION_DOWN, {"leaf-1", "spine-1"}),
    ({"down": {LINK, OTHER_LINK}}, CauseKind.SESSION_DOWN, {"leaf-1"}),
    ({"not_advertising": {"leaf-2"}}, CauseKind.NOT_ADVERTISING, {"leaf-2"}),
    ({"not_reflecting": {"spine-1"}}, CauseKind.NOT_REFLECTING, {"spine-1"}),
    ({"not_reflecting": SPINES}, CauseKind.NOT_REFLECTING, SPINES),
    ({"vnis_down": {("leaf-2", WEB)}}, CauseKind.VNI_DOWN, {"leaf-2"}),
    ({"vnis_down": {("leaf-2", WEB), ("leaf-2", DB)}}, CauseKind.VNI_DOWN, {"leaf-2"}),
    ({"targets": {("leaf-2", WEB): "65000:99999"}}, CauseKind.RT_MISMATCH, {"leaf-2"}),
    ({"targets": {("leaf-2", TENANT): "65000:99999"}}, CauseKind.RT_MISMATCH, {"leaf-2"}),
    ({"imports": {("leaf-2", WEB): "65000:99999"}}, CauseKind.RT_MISMATCH, {"leaf-2"}),
    ({"imports": {("leaf-2", TENANT): "65000:99999"}}, CauseKind.RT_MISMATCH, {"leaf-2"}),
    ({"l3vnis_down": {"leaf-2"}}, CauseKind.L3VNI_DOWN, {"leaf-2"}),
    ({"router_macs_missing": {("leaf-2", "leaf-1")}}, CauseKind.ROUTER_MAC_MISSING, {"leaf-2"}),
    ({"no_type5": {"leaf-2"}}, CauseKind.PREFIXES_MISSING, {"leaf-2"}),
    ({"gateways_missing": {("leaf-2", WEB)}}, CauseKind.GATEWAY_MISSING, {"leaf-2"}),
    ({"hosts_down": {"host-2"}}, CauseKind.HOST_DOWN, {"host-2"}),
    (
        {"not_forwarding": {frozenset({"leaf-1", "leaf-2"})}},
        CauseKind.NO_FORWARDING,
        {"leaf-1", "leaf-2"},
    ),
]
