"""The simulated control plane: what each switch sees of a fabric that is whole, or broken."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from harness.standin import leaf, spine
from standin.player.config import Block, Editor
from standin.player.fabric import View, view
from standin.player.speaker import Speaker, speaker
from standin.player.wire import KNOWN_FOR, Assembler, Flood, frames, pack, unpack

Configs = Mapping[str, str]
WIRES = {
    ("spine-1", "Ethernet1/1"): ("leaf-1", "Ethernet1/1"),
    ("spine-1", "Ethernet1/2"): ("leaf-2", "Ethernet1/1"),
}
MACS = {name: f"0c:00:00:00:0{n}:00" for n, name in enumerate(("spine-1", "leaf-1", "leaf-2"), 1)}


def speaks(name: str, config: str) -> Speaker:
    editor = Editor(Block())
    for line in config.splitlines():
        if not line.startswith(" "):
            editor.home()
        editor.apply(line)
    return speaker(editor.root, name, MACS[name])


class Lab:
    """Switches joined by wires that carry announcements, on a clock of their own."""

    def __init__(self, configs: Configs) -> None:
        self.now = 0.0
        self.wires = {**WIRES, **{far: near for near, far in WIRES.items()}}
        self.speakers = {name: speaks(name, config) for name, config in configs.items()}
        self.floods = {name: Flood(name, self._sender(name), lambda: self.now) for name in configs}
        self.settle(4)  # two rounds are enough

    def _sender(self, name: str):  # type: ignore[no-untyped-def]
        def send(port: str, data: bytes) -> None:
            if (name, port) in self.wires:
                other, far = self.wires[name, port]
                self.floods[other].receive(far, data, self._ports(other))

        return send

    def _ports(self, name: str) -> tuple[str, ...]:
        return tuple(port for who, port in self.wires if who == name)

    def settle(self, seconds: int = 20) -> None:
        """Let that much time pass."""
        for _ in range(0, seconds, 2):
            self.now += 2
            for name, flood in self.floods.items():
                flood.announce(self.speakers[name], int(self.now), self._ports(name))

    def pull(self, name: str, port: str) -> None:
        """Take the cable out, at both ends."""
        other = self.wires.pop((name, port))
        del self.wires[other]

    def view(self, name: str) -> View:
        return view(name, self.floods[name].members())


def configs(**changes: tuple[str, str]) -> Configs:
    """A whole fabric; `leaf_2=(OLD, NEW)` changes a text that must be there."""
    whole = {"spine-1": spine(1, 2), "leaf-1": leaf(1, 1), "leaf-2": leaf(2, 1)}
    for key, (old, new) in changes.items():
        name = key.replace("_", "-")
        assert old in whole[name]
        whole[name] = whole[name].replace(old, new)
    return whole


def counts(found: View) -> list[tuple[str, int]]:
    return [(p.state, len(p.paths)) for p in found.peerings]


def test_a_whole_fabric() -> None:
    lab = Lab(configs())
    spine_1, leaf_1 = lab.view("spine-1"), lab.view("leaf-1")
    assert [(a.router_id, a.state, a.port) for a in spine_1.adjacencies] == [
        ("10.0.0.11", "FULL", "Ethernet1/1"),
        ("10.0.0.12", "FULL", "Ethernet1/2"),
    ]
    # Two networks: a type 3 and a type 5 route of each, from each leaf.
    assert counts(spine_1) == [("Established", 4), ("Established", 4)]
    assert counts(leaf_1) == [("Established", 4)]
    assert [(p.address, p.router_mac) for p in leaf_1.peers] == [("10.0.1.12", "0c00.0000.0300")]
    assert {vni: len(paths) for vni, paths in leaf_1.imported.items()} == {
        10010: 1,
        10020: 1,
        50001: 2,
    }


@pytest.mark.parametrize(
    ("changes", "on_leaf_1", "on_spine_1"),
    [
        ({"spine_1": ("      route-reflector-client\n", "")},
         ("Established", 0), ("Established", 4)),
        ({"spine_1": ("    retain route-target all\n", "")},
         ("Established", 0), ("Established", 0)),
        ({"leaf_2": ("      send-community extended\n", "")},
         ("Established", 0), ("Established", 0)),
        ({"leaf_2": ("  neighbor 10.0.0.1\n", "  neighbor 10.0.0.1\n    shutdown\n")},
         ("Established", 0), ("Active", 0)),
        ({"leaf_2": ("remote-as 65000", "remote-as 65001")}, ("Established", 0), ("Active", 0)),
        ({"leaf_2": ("interface nve1\n  no shutdown", "interface nve1\n  shutdown")},
         ("Established", 0), ("Established", 0)),
        ({"leaf_2": ("  mtu 9216\n  medium p2p", "  medium p2p")}, ("Established", 0), ("Idle", 0)),
    ],
)  # fmt: skip
def test_faults_as_sessions_show_them(
    changes: dict[str, tuple[str, str]], on_leaf_1: tuple[str, int], on_spine_1: tuple[str, int]
) -> None:
    lab = Lab(configs(**changes))
    assert counts(lab.view("leaf-1")) == [on_leaf_1]
    assert counts(lab.view("spine-1"))[1] == on_spine_1
    assert lab.view("leaf-1").peers == ()


def test_a_wrong_route_target_keeps_one_route_out_and_the_session_up() -> None:
    wrong = "  vni 10010 l2\n    rd auto\n    route-target import 65000:1\n"
    lab = Lab(
        configs(leaf_1=("  vni 10010 l2\n    rd auto\n    route-target import auto\n", wrong))
    )
    found = lab.view("leaf-1")
    assert counts(found) == [("Established", 3)]
    assert counts(lab.view("spine-1")) == [("Established", 4), ("Established", 4)]
    assert found.imported[10010] == ()
    assert len(found.imported[10020]) == 1


def test_without_the_layer_3_vni_a_peer_has_no_router_mac() -> None:
    lab = Lab(configs(leaf_1=("  ip forward\n", "")))
    assert [p.router_mac for p in lab.view("leaf-1").peers] == ["n/a"]
    (layer3,) = [v for v in lab.speakers["leaf-1"].vnis if v.layer == 3]
    assert not layer3.up


def test_a_pulled_cable_and_a_silent_switch() -> None:
    lab = Lab(configs())
    lab.pull("leaf-2", "Ethernet1/1")
    lab.settle()
    assert counts(lab.view("spine-1")) == [("Established", 4), ("Idle", 0)]
    assert counts(lab.view("leaf-1")) == [("Established", 0)]
    del lab.floods["leaf-1"], lab.speakers["leaf-1"]
    lab.wires.clear()
    lab.settle(int(KNOWN_FOR) + 4)
    assert set(lab.floods["spine-1"].members()) == {"spine-1"}


def test_who_goes_back_in_time_is_heard_again() -> None:
    lab = Lab(configs())
    started = lab.now
    lab.now += KNOWN_FOR + 1
    for name, flood in lab.floods.items():
        flood.announce(lab.speakers[name], int(started) - 5, lab._ports(name))
    assert set(lab.floods["spine-1"].members()) == {"spine-1", "leaf-1", "leaf-2"}


EBGP_SPINE = """\
nv overlay evpn
feature bgp
route-map NH-UNCHANGED permit 10
  set ip next-hop unchanged
interface loopback0
  ip address 10.0.0.1/32
{ports}router bgp 65100
  router-id 10.0.0.1
  address-family l2vpn evpn
    retain route-target all
{neighbors}"""


def ebgp() -> Configs:
    """Numbered links, explicit route targets, an AS for each leaf."""
    port = "interface Ethernet1/{}\n  no switchport\n  ip address 10.9.{}.{}/31\n  no shutdown\n"
    link = "  neighbor 10.9.{}.{}\n    remote-as {}\n    address-family ipv4 unicast\n"
    evpn = ("  neighbor {}\n    remote-as {}\n    update-source loopback0\n    ebgp-multihop 3\n"
            "    address-family l2vpn evpn\n      send-community\n"
            "      send-community extended\n")  # fmt: skip
    neighbors = ports = ""
    found = {}
    for n in (1, 2):
        ports += port.format(n, n, 0)
        neighbors += link.format(n, 1, 65010 + n) + evpn.format(f"10.0.0.1{n}", 65010 + n)
        neighbors += "      route-map NH-UNCHANGED out\n"
        text = leaf(n, 0).replace("router bgp 65000", f"router bgp {65010 + n}")
        text = text.replace("feature ospf\n", "").replace("auto evpn", "65000:50001 evpn")
        for way in ("import", "export"):
            for vni in (10010, 10020):
                old = f"vni {vni} l2\n    rd auto\n"
                text = text.replace(old, f"{old}    route-target {way} 65000:{vni}\n")
        text = "".join(f"{line}\n" for line in text.splitlines() if "ospf" not in line
                       and "UNDERLAY" not in line
                       and not line.endswith(f"10.0.0.1{n}"))  # fmt: skip
        own = f"router bgp {65010 + n}\n"
        peers = link.format(n, 0, 65100) + evpn.format("10.0.0.1", 65100)
        text = text.replace(own, f"{port.format(1, n, 1)}{own}  router-id 10.0.0.1{n}\n{peers}")
        found[f"leaf-{n}"] = text
    found["spine-1"] = EBGP_SPINE.format(ports=ports, neighbors=neighbors)
    return found


def test_ebgp() -> None:
    lab = Lab(ebgp())
    assert [(s, n) for s, n in counts(lab.view("leaf-1"))] == [
        ("Established", 0),
        ("Established", 4),
    ]
    assert [p.address for p in lab.view("leaf-1").peers] == ["10.0.1.12"]
    assert lab.view("leaf-1").imported[10010][0].as_path == ("65100", "65012")


def test_ebgp_spine_that_changes_next_hops() -> None:
    broken = {
        name: text.replace("      route-map NH-UNCHANGED out\n", "")
        for name, text in ebgp().items()
    }
    assert [p.address for p in Lab(broken).view("leaf-1").peers] == ["10.0.0.1"]


def test_a_message_goes_through_frames_of_any_number() -> None:
    lab = Lab(configs())
    message = pack(lab.floods["leaf-1"]._known["leaf-2"][1], "spine-1", "Ethernet1/1")
    announcement, via, port = unpack(message)
    assert (announcement.member.speaker, via, port) == (
        lab.speakers["leaf-2"],
        "spine-1",
        "Ethernet1/1",
    )
    assembler = Assembler()
    padded = [frame + bytes(20) for frame in frames(bytes(6), 7, message * 3)]
    assert len(padded) > 1
    *early, last = [assembler.take(frame) for frame in padded]
    assert set(early) == {None}
    assert last == message * 3
    assert assembler.take(b"\xff" * 60) is None
