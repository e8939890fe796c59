"""Software of another device than the node's platform is refused where the file says it."""

from __future__ import annotations

import pytest

from labctl.errors import Problem, TopologyError
from labctl.topology.load import load
from labctl.topology.platforms import load_platforms

PLATFORMS = load_platforms()
MIXED = """\
lab: mixed
platform: nxosv9k
image: golden
fabric: {spines: 1, leaves: 2}
nodes:
  spine-1:
    platform: titanium
    image: titanium
"""


def faults(text: str) -> tuple[Problem, ...]:
    with pytest.raises(TopologyError) as caught:
        load(text, source="f.yaml", platforms=PLATFORMS)
    return caught.value.problems


def lab(platform: str, extra: str) -> str:
    """Its leaf is none of titanium's: that plays spines only."""
    text = f"lab: x\nplatform: {platform}\nfabric: {{spines: 1, leaves: 1}}\n{extra}\n"
    return text + "nodes: {leaf-1: {platform: nxosv9k}}\n" * (platform == "titanium")


@pytest.mark.parametrize(
    ("platform", "line", "name", "fit"),
    [
        ("nxosv9k", "software: titanium-7.3.0.D1.1", "titanium-7.3.0.D1.1", "titanium"),
        ("nxosv9k", "image: NXOSv-7.2.0.D1.1", "NXOSv-7.2.0.D1.1", "titanium"),
        ("titanium", "software: nxosv9k-7.0.3.I7.4", "nxosv9k-7.0.3.I7.4", "nxosv9k"),
        ("titanium", "image: nexus9300v.9.3.13", "nexus9300v.9.3.13", "nxosv9k"),
        ("titanium", "image: nxosv9k-9.3.9", "nxosv9k-9.3.9", "nxosv9k"),
        ("frr", "image: nexus9300v.9.3.13", "nexus9300v.9.3.13", "nxosv9k"),
    ],
)
def test_the_lab_s_software(platform: str, line: str, name: str, fit: str) -> None:
    (fault,) = faults(lab(platform, line))
    assert (fault.line, fault.column) == (4, line.index(":") + 3)
    assert fault.message == f"{name!r} is no software of platform {platform}"
    assert fault.hint == f"it is of {fit}"


def test_a_node_s_own_software() -> None:
    text = MIXED + "    software: nexus9300v.9.3.13\n"
    (fault,) = faults(text)
    assert (fault.line, fault.column) == (9, 15)
    assert fault.message == "'nexus9300v.9.3.13' is no software of platform titanium"


@pytest.mark.parametrize(
    "text",
    [
        MIXED,
        MIXED + "    software: titanium-final.7.3.0.D1.1\n",
        lab("nxosv9k", "image: nexus9500v.9.3.13"),
        lab("nxosv9k", "image: nxosv9000-10-1-2"),
        lab("nxosv9k", "image: titanium-7.3.0.D1.1\nsoftware: nxosv9k-7.0.3.I7.4"),
        lab("frr", "image: frr-12"),
    ],
)
def test_what_fits_or_tells_nothing_is_taken(text: str) -> None:
    load(text, source="f.yaml", platforms=PLATFORMS)


def test_a_platform_that_is_not_known_is_all_that_is_told() -> None:
    (fault,) = faults(lab("nxosv9", "image: nexus9300v.9.3.13"))
    assert "no platform 'nxosv9'" in fault.message
