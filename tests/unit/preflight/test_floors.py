"""Memory floors: refused below, allowed by the file, the strictest for what nobody knows."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.nexus import intent
from harness.quiet_host import of, quiet_host, the
from labctl.model.finding import Finding, Severity
from labctl.preflight.checks import check
from labctl.preflight.facts import Facts


def facts(image: str, port: int = 1, extra: str = "") -> Facts:
    return replace(quiet_host(), intent=intent(image, port, extra))


def shrunk(lab: Facts, memory: int, *, allowed: bool = False) -> Facts:
    """The lab with leaf-1 of `memory` MiB."""
    leaf = lab.intent.nodes["leaf-1"]
    node = replace(leaf.node, memory=memory, allow_undersized=allowed)
    nodes = {**lab.intent.nodes, "leaf-1": replace(leaf, node=node)}
    return replace(lab, intent=replace(lab.intent, nodes=nodes))


def floor(lab: Facts) -> Finding:
    return the(lab, "memory floor")


@pytest.mark.parametrize(
    ("image", "port", "needs"),
    [
        ("nxosv9k-7.0.3.I7.4", 1, 8192),
        ("nexus9300v64-lite.10.5.5.M", 1, 6144),
        ("nexus9300v64.10.5.5.M", 1, 10240),
        ("nexus9500v64.10.5.5.M", 65, 16384),
        ("golden", 1, 10240),
        ("golden", 65, 16384),
    ],
)
def test_the_floor_follows_from_the_image(image: str, port: int, needs: int) -> None:
    lab = facts(image, port)
    assert floor(shrunk(lab, needs)).severity is Severity.OK
    finding = floor(shrunk(lab, needs - 1))
    assert finding.severity is Severity.REFUSE
    assert finding.nodes == ("leaf-1",)
    assert f"leaf-1 has {needs - 1} MiB, less than the {needs} MiB needed" in finding.message
    assert "allow_undersized: true" in finding.resolution


def test_the_refusal_gives_reason_and_source() -> None:
    finding = floor(shrunk(facts("nxosv9k-7.0.3.I7.4"), 3891))
    assert "caps its routing table" in finding.message
    assert "DevNetSandbox" in finding.message


def test_the_file_may_allow_it() -> None:
    finding = floor(shrunk(facts("nxosv9k-7.0.3.I7.4"), 3891, allowed=True))
    assert finding.severity is Severity.WARN
    assert finding.message.endswith("the file allows it")


def test_unknown_software_is_said_aloud() -> None:
    finding = the(facts("golden"), "software")
    assert finding.severity is Severity.WARN
    assert "'golden' tells no release" in finding.message
    told = facts("golden", extra="software: nxosv9k-7.0.3.I7.4\n")
    assert of(check(told), "software") == []


@pytest.mark.parametrize("image", ["nxosv9k-7.0.3.I7.4", "nexus9300v64-lite.10.5.5.M", "golden"])
def test_defaults_are_never_below_the_floor(image: str) -> None:
    assert floor(facts(image)).severity is Severity.OK
