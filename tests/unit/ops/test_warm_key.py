"""What a kept state's key is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from ipaddress import IPv4Network
from pathlib import Path

import pytest

from harness.fake import FakeHypervisor
from harness.intents import PLATFORMS, intent_of
from labctl.fabric.intent import build
from labctl.model.desired import Desired
from labctl.model.lab import Endpoint
from labctl.model.paths import Home
from labctl.model.site import ImageRef, Site
from labctl.ops import warm_key
from labctl.ops.warm_key import fabric_key, node_keys
from labctl.render.desired import render

TEXT = """lab: two
platform: nxosv9k
image: nxosv9k-9.3.13
fabric: {spines: 1, leaves: 1, hosts_per_leaf: 1}
nodes:
  host-1: {platform: linux, image: frr}
"""
HOST = FakeHypervisor().facts


def desired(home: Home, *, virt_type: str = "qemu", ports: int = 20000) -> Desired:
    lab = intent_of(TEXT).lab
    intent = build(lab, PLATFORMS, management_subnet=IPv4Network("10.1.1.0/24"))
    ends = [end for link in lab.links for end in (link.a, link.b)]
    numbers: dict[Endpoint, int] = {end: ports + number for number, end in enumerate(ends)}
    images = {n.image: ImageRef(Path(f"/images/{n.image}"), "0" * 64) for n in lab.nodes}
    site = Site(virt_type=virt_type, emulator="", home=home, management="nat", firmware={})
    return render(intent, PLATFORMS, site=site, ports=numbers, images=images)


def test_ports_of_the_host_are_no_part_of_it(tmp_path: Path) -> None:
    home = Home(tmp_path)
    one, other = desired(home), desired(home, ports=30000)
    assert one != other
    assert node_keys(home, HOST, one) == node_keys(home, HOST, other)


def test_the_admin_password_is_part_of_a_nexus_key_alone(tmp_path: Path) -> None:
    home = Home(tmp_path)
    before = node_keys(home, HOST, desired(home))
    home.admin_password.write_text("another-password-1\n")
    after = node_keys(home, HOST, desired(home))
    assert (before["host-1"] == after["host-1"], before["leaf-1"] == after["leaf-1"]) == (
        True,
        False,
    )
    assert fabric_key("two", before) != fabric_key("two", after)


@pytest.mark.parametrize("facts", [{"hypervisor_version": "8.0.0"}, {"libvirt_version": "10.0.0"}])
def test_versions_are(tmp_path: Path, facts: dict[str, str]) -> None:
    home = Home(tmp_path)
    other = replace(HOST, **facts)  # type: ignore[arg-type]
    assert node_keys(home, HOST, desired(home)) != node_keys(home, other, desired(home))


@pytest.mark.parametrize("virt_type", ["kvm", "qemu"])
def test_the_host_s_processor_is_where_guests_see_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, virt_type: str
) -> None:
    home = Home(tmp_path)
    keys: list[Mapping[str, str]] = []
    for model in ("one", "other"):
        (tmp_path / "cpuinfo").write_text(
            f"model name\t: {model}\nflags\t\t: fpu\ncpu MHz\t\t: {len(keys)}\n\nprocessor\t: 1\n"
        )
        monkeypatch.setattr(warm_key, "_CPU", tmp_path / "cpuinfo")
        keys.append(node_keys(home, HOST, desired(home, virt_type=virt_type)))
    assert (keys[0] == keys[1]) is (virt_type == "qemu")


def test_labs_of_equal_nodes_have_keys_of_their_own() -> None:
    assert fabric_key("one", {"a": "1"}) != fabric_key("other", {"a": "1"})
    assert fabric_key("one", {"a": "1", "b": "2"}) == fabric_key("one", {"b": "2", "a": "1"})
