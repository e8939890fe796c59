"""Domains: what every Hypervisor does, whoever fills it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from harness.backends import MARK, Backend
from labctl.errors import HypervisorError
from labctl.hypervisor.api import DomainState, ObservedDomain, UdpEnd
from labctl.model.metadata import to_xml

NAME = "contract.leaf-1"


def observed(backend: Backend, name: str = NAME) -> ObservedDomain:
    domain = backend.hypervisor.domain(name)
    assert domain is not None
    return domain


def state(backend: Backend) -> DomainState:
    return observed(backend).state


def ours(backend: Backend) -> list[str]:
    """Names of the domains the test made; the test driver has one of its own."""
    names = (domain.name for domain in backend.hypervisor.domains())
    return sorted(name for name in names if name.startswith("contract."))


def test_defining_twice_is_defining_once(backend: Backend) -> None:
    backend.hypervisor.define(backend.marked)
    first = observed(backend)
    backend.hypervisor.define(backend.marked)
    assert observed(backend) == first
    assert ours(backend) == [NAME]
    assert first.state is DomainState.SHUT_OFF


def test_redefining_changes_the_definition(backend: Backend) -> None:
    backend.hypervisor.define(backend.xml(memory=32))
    backend.hypervisor.define(backend.xml(memory=48))
    assert observed(backend).memory == 48


def test_redefining_leaves_the_live_domain_until_it_starts_again(backend: Backend) -> None:
    backend.hypervisor.define(backend.xml(memory=32))
    backend.hypervisor.start(NAME, paused=True)
    backend.hypervisor.define(backend.xml(memory=48))
    assert observed(backend).memory == 32
    backend.hypervisor.destroy(NAME)
    assert observed(backend).memory == 48


def test_observes_what_the_xml_says(backend: Backend, tmp_path: Path) -> None:
    disk, medium = tmp_path / "disk.raw", tmp_path / "day0.iso"
    backend.hypervisor.define(
        backend.xml(
            metadata=to_xml(MARK),
            devices=f"""
              <disk type='file' device='disk'><driver name='qemu' type='raw'/>
                <source file='{disk}'/><target dev='vda' bus='virtio'/></disk>
              <disk type='file' device='cdrom'><source file='{medium}'/>
                <target dev='hdc' bus='ide'/><readonly/></disk>
              <disk type='file' device='cdrom'><target dev='hdd' bus='ide'/><readonly/></disk>
              <interface type='udp'><mac address='02:AB:00:00:00:01'/>
                <source address='127.0.0.2' port='20002'>
                  <local address='127.0.0.1' port='20001'/></source>
                <model type='virtio'/></interface>""",
        )
    )
    domain = observed(backend)
    assert domain.metadata == MARK
    assert domain.macs == ("02:ab:00:00:00:01",)
    assert domain.udp == (UdpEnd("02:ab:00:00:00:01", ("127.0.0.1", 20001), ("127.0.0.2", 20002)),)
    assert domain.disks == (str(disk), str(medium))
    assert (domain.memory, domain.vcpus) == (32, 1)
    assert domain in backend.hypervisor.domains()


def test_a_domain_of_others_has_no_mark(backend: Backend) -> None:
    foreign = "<x:mark xmlns:x='https://example.org/'>text</x:mark>"
    backend.hypervisor.define(backend.xml(metadata=foreign))
    assert observed(backend).metadata is None


def test_an_unreadable_mark_is_no_mark(backend: Backend) -> None:
    backend.hypervisor.define(backend.xml(metadata=to_xml(MARK).replace("role=", "rule=")))
    assert observed(backend).metadata is None


def test_life_of_a_domain(backend: Backend) -> None:
    """Every step twice: the second is no error and changes nothing."""
    hypervisor = backend.hypervisor
    hypervisor.define(backend.marked)
    for _ in range(2):
        hypervisor.start(NAME, paused=True)
        assert state(backend) is DomainState.PAUSED
    for _ in range(2):
        hypervisor.resume(NAME)
        assert state(backend) is DomainState.RUNNING
    hypervisor.start(NAME)
    for _ in range(2):
        hypervisor.destroy(NAME)
        assert state(backend) is DomainState.SHUT_OFF
    hypervisor.shutdown(NAME)
    for _ in range(2):
        hypervisor.undefine(NAME)
        assert hypervisor.domain(NAME) is None
    hypervisor.destroy(NAME)


def test_one_connection_serves_many_threads(backend: Backend) -> None:
    names = [f"contract.node-{number}" for number in range(8)]

    def live(name: str) -> DomainState:
        backend.hypervisor.define(backend.xml(name))
        backend.hypervisor.start(name, paused=True)
        return observed(backend, name).state

    def die(name: str) -> None:
        backend.hypervisor.destroy(name)
        backend.hypervisor.undefine(name)

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(live, names)) == [DomainState.PAUSED] * len(names)
        assert ours(backend) == names
        list(pool.map(die, names))
    assert ours(backend) == []


def test_undefining_a_running_domain_leaves_it_until_it_ends(backend: Backend) -> None:
    backend.hypervisor.define(backend.marked)
    backend.hypervisor.start(NAME, paused=True)
    backend.hypervisor.undefine(NAME)
    assert state(backend) is DomainState.PAUSED
    backend.hypervisor.destroy(NAME)
    assert backend.hypervisor.domain(NAME) is None


def test_a_transient_domain_leaves_nothing(backend: Backend) -> None:
    backend.hypervisor.run_transient(backend.xml())
    assert state(backend) is DomainState.RUNNING
    backend.hypervisor.destroy(NAME)
    assert backend.hypervisor.domain(NAME) is None
    backend.hypervisor.destroy(NAME)


@pytest.mark.parametrize("running", [False, True], ids=["off", "running"])
def test_the_mark_is_replaced_live_and_for_good(backend: Backend, running: bool) -> None:
    hypervisor = backend.hypervisor
    hypervisor.define(backend.marked)
    if running:
        hypervisor.start(NAME, paused=True)
    changed = MARK._replace(spec="sha256:other", digests={}, ports={"eth2": (1, 65535)})
    hypervisor.set_metadata(NAME, changed)
    assert observed(backend).metadata == changed
    hypervisor.destroy(NAME)
    assert observed(backend).metadata == changed


def test_marks_a_domain_that_had_no_mark(backend: Backend) -> None:
    backend.hypervisor.define(backend.xml())
    backend.hypervisor.set_metadata(NAME, MARK)
    assert observed(backend).metadata == MARK


def test_text_in_a_mark_stays_text(backend: Backend) -> None:
    hostile = MARK._replace(node="'/><evil a=\"&quot;", digests={"<x>": "]]>&amp;"})
    backend.hypervisor.define(backend.xml(metadata=to_xml(hostile)))
    assert observed(backend).metadata == hostile
    backend.hypervisor.set_metadata(NAME, hostile._replace(role="</metadata>"))
    assert observed(backend).metadata == hostile._replace(role="</metadata>")


@pytest.mark.parametrize("method", ["start", "resume", "shutdown", "xml", "agent_ready"])
def test_no_such_domain(backend: Backend, method: str) -> None:
    with pytest.raises(HypervisorError) as caught:
        getattr(backend.hypervisor, method)("contract.nobody")
    assert "VIR_ERR_NO_DOMAIN" in caught.value.details
    assert caught.value.resolution
    assert backend.hypervisor.domain("contract.nobody") is None


def test_malformed_xml_is_refused(backend: Backend) -> None:
    with pytest.raises(HypervisorError) as caught:
        backend.hypervisor.define(backend.xml()[:-3])
    assert "VIR_ERR_XML_DETAIL" in caught.value.details
    assert ours(backend) == []


@pytest.mark.parametrize(
    "hostile",
    [
        "contract.x</name><cmdline>rm</cmdline><name>",
        "contract.x</name><name>contract.y",
        "contract.x</name><memory unit='TiB'>9</memory><bogus/><name>contract.y",
    ],
)
def test_a_name_that_breaks_out_of_its_element_is_refused(backend: Backend, hostile: str) -> None:
    """Second line of defence, behind names that are checked and templates that escape."""
    with pytest.raises(HypervisorError) as caught:
        backend.hypervisor.define(backend.xml(hostile))
    assert "VIR_ERR_XML" in caught.value.details
    assert ours(backend) == []


def test_unknown_elements_are_refused_not_dropped(backend: Backend) -> None:
    with pytest.raises(HypervisorError) as caught:
        backend.hypervisor.define(backend.xml(extra="<memroy unit='GiB'>1</memroy>"))
    assert "VIR_ERR_XML_INVALID_SCHEMA" in caught.value.details
    assert ours(backend) == []


def test_a_name_in_use_with_another_uuid_is_refused(backend: Backend) -> None:
    backend.hypervisor.define(backend.xml())
    with pytest.raises(HypervisorError, match="already exists"):
        backend.hypervisor.define(backend.xml(uuid_of="other"))


def test_a_uuid_in_use_with_another_name_is_refused(backend: Backend) -> None:
    backend.hypervisor.define(backend.xml())
    with pytest.raises(HypervisorError, match="already"):
        backend.hypervisor.define(backend.xml("contract.other", uuid_of=NAME))
    backend.hypervisor.undefine(NAME)
    backend.hypervisor.define(backend.xml("contract.other", uuid_of=NAME))
    assert ours(backend) == ["contract.other"]


MACS = ("02:ab:00:00:00:01", "02:ab:00:00:00:02")
NICS = "".join(
    f"""<interface type='udp'><mac address='{mac}'/>
      <source address='127.0.0.1' port='{20011 + n}'><local address='127.0.0.1'
        port='{20021 + n}'/></source><model type='virtio'/></interface>"""
    for n, mac in enumerate(MACS)
)


@pytest.mark.parametrize("running", [False, True], ids=["off", "running"])
def test_one_cable_is_pulled_and_plugged(capable: Backend, running: bool) -> None:
    hypervisor = capable.hypervisor
    hypervisor.define(capable.xml(devices=NICS))
    if running:
        hypervisor.start(NAME, paused=True)
    for _ in range(2):
        hypervisor.set_link(NAME, MACS[0].upper(), up=False)
        assert not hypervisor.link_is_up(NAME, MACS[0])
        assert hypervisor.link_is_up(NAME, MACS[1])
    hypervisor.destroy(NAME)
    assert not hypervisor.link_is_up(NAME, MACS[0])
    hypervisor.set_link(NAME, MACS[0], up=True)
    assert hypervisor.link_is_up(NAME, MACS[0])


def test_pulling_a_cable_that_is_not_there(capable: Backend) -> None:
    capable.hypervisor.define(capable.xml(devices=NICS))
    with pytest.raises(HypervisorError, match="no NIC with MAC 02:ff"):
        capable.hypervisor.set_link(NAME, "02:ff:00:00:00:00", up=False)
