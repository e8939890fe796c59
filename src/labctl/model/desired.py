"""What shall be there: rendered, hashed, ready to be compared with what is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from labctl.model.intent import NodeIntent


class Day0(NamedTuple):
    """The files of a node's day-0 medium, by name, and the digest of them all."""

    volume_label: str
    files: Mapping[str, str]
    digest: str


class DesiredNode(NamedTuple):
    """One node as the file wants it.

    `digests` holds one digest per thing that determines the node (hardware, config, image), so
    that a plan can say which changed; `spec` is the digest of them all (the spec hash).
    """

    intent: NodeIntent
    domain_xml: str
    day0: Day0
    digests: Mapping[str, str]
    spec: str
    ports: Mapping[str, tuple[int, int]]
    """Interface name -> (local UDP port, remote UDP port), as the metadata records them."""


class Desired(NamedTuple):
    """The whole lab as the file wants it.

    `network_xml` and `subnet` (CIDR) are "" without a management network.
    """

    lab: str
    nodes: Mapping[str, DesiredNode]
    network_xml: str
    subnet: str
