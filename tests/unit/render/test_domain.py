"""Domain and network XML: libvirt takes it, values stay values, digests tell what changed."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Network
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.samples import IMAGES, LAB, change, change_node, ports, sample, site
from labctl import process
from labctl.errors import InternalError, UsageError
from labctl.model.desired import Desired
from labctl.model.identity import domain_uuid
from labctl.model.intent import Intent
from labctl.model.metadata import METADATA_NS, from_element
from labctl.model.paths import Home
from labctl.model.site import ImageRef, ManagementMode, Site
from labctl.render.desired import render
from labctl.render.network import network_xml
from labctl.topology.platforms import load_platforms

PLATFORMS = load_platforms()


def desired(intent: Intent | None = None, where: Site | None = None) -> Desired:
    """The sample, rendered."""
    return render(intent or sample(), PLATFORMS, site=where or site(), ports=ports(), images=IMAGES)


def domain(rendered: Desired, name: str = "leaf-1") -> ElementTree.Element:
    """One node's domain, parsed."""
    return ElementTree.fromstring(rendered.nodes[name].domain_xml)


def shape(element: ElementTree.Element) -> list[tuple[str, tuple[str, ...]]]:
    """All elements of a document with their attributes' names: all but the values."""
    return [(found.tag, tuple(sorted(found.attrib))) for found in element.iter()]


@pytest.mark.parametrize("management", ["nat", "user", "none"])
def test_libvirt_takes_every_domain(management: ManagementMode, tmp_path: Path) -> None:
    where = site("test", management)
    commands = []
    for name, node in desired(where=where).nodes.items():
        path = tmp_path / f"{name}.xml"
        path.write_text(node.domain_xml)
        commands += [f"define --validate {path}", f"start {LAB}.{name}"]
    virsh("; ".join(commands))


def test_libvirt_takes_the_network(tmp_path: Path) -> None:
    path = tmp_path / "network.xml"
    path.write_text(network_xml(LAB, IPv4Network("198.18.7.0/24")))
    virsh(f"net-define --validate {path}; net-start labctl-{LAB}")


def virsh(commands: str) -> None:
    """Run commands on libvirt's test driver; the first that fails fails the test."""
    process.run(["virsh", "-c", "test:///default", commands], deadline=60)


@pytest.mark.parametrize("virt_type", ["kvm", "qemu"])
def test_schema_holds_for_real_hypervisors(virt_type: str, tmp_path: Path) -> None:
    """The test driver defines no other type, so only that word is changed."""
    path = tmp_path / "domain.xml"
    xml = desired(where=site(virt_type)).nodes["leaf-1"].domain_xml
    head = f"<domain type='{virt_type}'>"
    assert xml.startswith(head)
    path.write_text(xml.replace(head, "<domain type='test'>"))
    virsh(f"define --validate {path}")


def test_links_meet() -> None:
    """What one end binds is what the other sends to."""
    bound, sent = {}, {}
    rendered = desired()
    for name in rendered.nodes:
        for nic in domain(rendered, name).iterfind("devices/interface[@type='udp']"):
            source, local = nic.find("source"), nic.find("source/local")
            alias = nic.find("alias")
            assert source is not None
            assert local is not None
            assert alias is not None
            end = f"{name}:{alias.attrib['name'].removeprefix('ua-')}"
            bound[end], sent[end] = local.attrib["port"], source.attrib["port"]
    for link in sample().lab.links:
        a, b = str(link.a), str(link.b)
        assert (sent[a], sent[b]) == (bound[b], bound[a])
    assert len(bound) == 6


def test_golden_image_keeps_its_owner() -> None:
    backing = domain(desired()).find("devices/disk/backingStore")
    assert backing is not None
    label = backing.find("source/seclabel")
    assert label is not None
    assert label.attrib == {"model": "dac", "relabel": "no"}
    assert backing.find("backingStore") is not None


def test_identity_and_mark() -> None:
    rendered = desired()
    node = rendered.nodes["leaf-1"]
    root = domain(rendered)
    assert root.findtext("uuid") == str(domain_uuid(LAB, "leaf-1"))
    mark = root.find(f"metadata/{{{METADATA_NS}}}mark")
    assert mark is not None
    read = from_element(mark)
    assert (read.lab, read.node, read.role, read.platform) == (LAB, "leaf-1", "leaf", "frr")
    assert (read.spec, read.digests, read.ports) == (node.spec, node.digests, node.ports)


def test_no_management_no_network() -> None:
    rendered = desired(where=site(management="none"))
    assert (rendered.network_xml, rendered.subnet) == ("", "")
    kinds = {nic.attrib["type"] for nic in domain(rendered).iterfind("devices/interface")}
    assert kinds == {"udp"}


def changed_digests(intent: Intent, where: Site | None = None) -> set[str]:
    """Which of leaf-1's digests differ from the plain sample's."""
    before, after = desired().nodes["leaf-1"], desired(intent, where).nodes["leaf-1"]
    assert (before.spec != after.spec) == (before.digests != after.digests)
    return {name for name in before.digests if before.digests[name] != after.digests[name]}


def test_same_input_same_bytes() -> None:
    assert desired() == desired()
    assert changed_digests(sample()) == set()


def test_memory_is_hardware() -> None:
    assert changed_digests(change_node(sample(), "leaf-1", memory=512)) == {"hardware"}


def test_configuration_is_configuration() -> None:
    assert changed_digests(change_node(sample(), "leaf-1", extra_config="!\n")) == {"config"}


def test_another_node_is_none_of_its_business() -> None:
    assert changed_digests(change_node(sample(), "host-1", memory=512)) == set()


def test_paths_are_hardware() -> None:
    assert changed_digests(sample(), site(home="/elsewhere")) == {"hardware"}


def test_image_is_told_apart_by_its_bytes() -> None:
    images = {"frr": ImageRef(IMAGES["frr"].path, "cd" * 32)}
    other = render(sample(), PLATFORMS, site=site(), ports=ports(), images=images)
    before, after = desired().nodes["leaf-1"].digests, other.nodes["leaf-1"].digests
    assert {name for name in before if before[name] != after[name]} == {"image"}


def test_version_of_labctl_is_no_reason_to_touch_a_node(monkeypatch: pytest.MonkeyPatch) -> None:
    before = desired().nodes["leaf-1"]
    monkeypatch.setattr("labctl.render.desired.__version__", "99")
    after = desired().nodes["leaf-1"]
    assert (after.spec, after.digests) == (before.spec, before.digests)
    assert 'version="99"' in after.domain_xml


HOSTILE = st.text(st.sampled_from("a'\"<>&/ ]-!{}%#\n\x00\x1bé") | st.characters(), max_size=30)


@given(HOSTILE)
def test_no_path_can_become_structure(text: str) -> None:
    where = site()._replace(home=Home(Path("/lab") / text.replace("\0", "")))
    if not str(where.home.folder).isprintable():
        with pytest.raises(UsageError):
            desired(where=where)
        return
    root = domain(desired(where=where))
    assert shape(root) == shape(domain(desired()))
    log = root.find("devices/serial/log")
    assert log is not None
    assert log.attrib["file"] == str(where.home.lab(LAB).node("leaf-1").console_log)


@given(HOSTILE)
def test_no_name_can_become_structure(text: str) -> None:
    """Names are checked long before; should a check fail one day, rendering still holds."""
    leaf = sample().nodes["leaf-1"]
    vrf = replace(leaf.l3vnis[0], vrf=replace(leaf.l3vnis[0].vrf, name=text))
    hostile = change(sample(), "leaf-1", l3vnis=(vrf,))
    if not text.isprintable() or " " in text:
        with pytest.raises(InternalError):
            desired(hostile)
        return
    plain, odd = desired().nodes["leaf-1"].day0.files, desired(hostile).nodes["leaf-1"].day0.files
    for name, content in plain.items():
        assert len(odd[name].splitlines()) == len(content.splitlines())
        assert [len(line.split(" ")) for line in odd[name].splitlines()] == [
            len(line.split(" ")) for line in content.splitlines()
        ]
