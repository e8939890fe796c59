"""What a Nexus needs, told by its image's name: each rule of lab/platforms/nxosv9k.yaml."""

from __future__ import annotations

import pytest

from labctl.model.fit import fitted, rule_for
from labctl.topology.platforms import load_platforms

PLATFORMS = load_platforms()
NEXUS = PLATFORMS["nxosv9k"]


@pytest.mark.parametrize(
    ("image", "ports", "floor", "rule"),
    [
        ("nxosv-final.7.0.3.I2.1", 1, 8192, "7.0(3)I2 to 7.0(3)I7"),
        ("nxosv9k-7.0.3.I7.4", 4, 8192, "7.0(3)I2 to 7.0(3)I7"),
        ("nxosv9k-7.0.3.i7.10", 64, 8192, "7.0(3)I2 to 7.0(3)I7"),
        ("nxosv-final.9.2.1", 4, 8192, "9.2 and 9.3"),
        ("nxosv9k-9.3.9", 4, 8192, "9.2 and 9.3"),
        ("nexus9300v.9.3.13", 64, 8192, "9.2 and 9.3"),
        ("nexus9500v64.10.1.2", 64, 8192, "10.1"),
        ("nexus9300v64.10.2.2.F", 4, 10240, "10.2 to 10.6"),
        ("n9kv-9300-10.5.2", 4, 10240, "10.2 to 10.6"),
        ("nxosv9300-10-6-2-f", 4, 10240, "10.2 to 10.6"),
        ("nexus9300v64-lite.10.5.5.M", 64, 6144, "lite"),
        ("n9kv-9500-lite-10.5.5.M", 64, 6144, "lite"),
        ("nxosv9k-9500-9.3.9", 65, 16384, "large 9500v"),
        ("nxosv9k-10.3.1", 65, 16384, "large 9500v"),
        ("nexus9500v64.10.5.5.M", 128, 16384, "large 9500v"),
    ],
)
def test_the_floor_of_a_release(image: str, ports: int, floor: int, rule: str) -> None:
    found = rule_for(NEXUS, image, ports)
    assert found is not None
    assert found.title == rule
    platform = fitted(NEXUS, image, ports)
    assert platform.memory_floor == floor
    assert platform.memory >= floor
    assert platform.memory_floor_source == found.memory_floor_source
    assert (platform.vcpus, platform.interfaces.maximum) == (found.vcpus, found.ports)


@pytest.mark.parametrize(
    "image",
    [
        "golden",
        "nexus9300v64.10.7.1.F",
        "nxosv9k-6.1.2.I2.1",
        "titanium-final.7.3.0.D1.1",
        "nexus9300v.9.9.9",
        "nxosv9k-7.0.3.I99.4",
        "nexus9300v.11.1.1",
        "nexus9300v64-lite.11.1.1.F",
        "nexus9500v64.11.1.1.F",
    ],
)
@pytest.mark.parametrize(("ports", "floor"), [(4, 10240), (65, 16384)])
def test_unknown_software_gets_the_strictest_floor_and_is_told_so(
    image: str, ports: int, floor: int
) -> None:
    assert rule_for(NEXUS, image, ports) is None
    platform = fitted(NEXUS, image, ports)
    assert platform.memory_floor == floor
    assert platform.memory >= floor
    assert repr(image) in platform.memory_floor_source
    assert "strictest floor holds" in platform.memory_floor_source


def test_other_platforms_need_what_they_say() -> None:
    assert fitted(PLATFORMS["frr"], "nxosv9k-7.0.3.I7.4", 4) is PLATFORMS["frr"]
