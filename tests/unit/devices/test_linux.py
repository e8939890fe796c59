"""Parsers of what Linux guests print."""

from __future__ import annotations

import pytest

from labctl.devices.facts import Memory, ParseError, PingResult, VxlanDevice
from labctl.devices.linux.parse import meminfo, ping, vxlan_devices


def test_memory() -> None:
    assert meminfo("MemTotal:  158084 kB\nMemFree: 1 kB\nMemAvailable:  132884 kB\n") == Memory(
        158084, 132884
    )
    assert meminfo("MemTotal: 5 kB\n") == Memory(5, None)
    with pytest.raises(ParseError):
        meminfo("cat: /proc/meminfo: No such file")


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("2 packets transmitted, 2 received, 0% packet loss, time 1001ms", (2, 2)),
        ("3 packets transmitted, 0 packets received, 100% packet loss", (3, 0)),
        ("3 packets transmitted, 0 received, +3 errors, 100% packet loss, time 2ms", (3, 0)),
        ("ping: connect: Network is unreachable", (0, 0)),
        ("ping: unknown iface tenant-x", (0, 0)),
        ("10.0.0.1 is alive\n", (None, 1)),
        ("10.0.0.1 is alive\n10.0.0.1: error while sending ping: No route to host\n", (None, 1)),
        ("10.0.0.1 is unreachable\n", (None, 0)),
    ],
)
def test_pings(text: str, result: tuple[int | None, int]) -> None:
    assert ping(text) == PingResult(*result)


def test_a_ping_without_a_summary_can_not_be_read() -> None:
    with pytest.raises(ParseError):
        ping("PING 10.0.0.1 (10.0.0.1) 56(84) bytes of data.\n")


def test_vxlan_devices() -> None:
    text = (
        '[{"ifname":"vni7","flags":["BROADCAST","UP"],"linkinfo":{"info_data":{"id":7}}},'
        '{"ifname":"vni8","flags":[],"linkinfo":{"info_data":{"id":8}}},{},5,{"linkinfo":{}}]'
    )
    assert vxlan_devices(text) == {
        7: VxlanDevice(7, "vni7", up=True),
        8: VxlanDevice(8, "vni8", up=False),
    }
    assert vxlan_devices("\n") == {}
    with pytest.raises(ParseError):
        vxlan_devices('{"a": 1}')
