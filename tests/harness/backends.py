"""The three hypervisors the contract holds for, and tiny domains to hold it with."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from uuid import uuid5

import pytest

from harness.fake import FakeHypervisor
from labctl.hypervisor.api import Hypervisor
from labctl.hypervisor.connect import connect
from labctl.model.identity import NAMESPACE
from labctl.model.metadata import LabMetadata, to_xml

MARK = LabMetadata(
    lab="contract",
    node="leaf-1",
    role="leaf",
    platform="frr",
    version="0.1.0",
    spec="sha256:1",
    digests={"config": "sha256:2", "image": "sha256:3"},
    ports={"eth1": (20001, 20002)},
)


@dataclass(frozen=True, slots=True)
class Backend:
    """A hypervisor and the domain type it runs."""

    hypervisor: Hypervisor
    virt_type: str

    def xml(
        self,
        name: str = "contract.leaf-1",
        *,
        uuid_of: str = "",
        memory: int = 32,
        devices: str = "",
        metadata: str = "",
        extra: str = "",
    ) -> str:
        """A domain without disk that needs next to nothing; `uuid_of`: whose UUID it takes."""
        uuid = uuid5(NAMESPACE, uuid_of or name)
        return f"""<domain type='{self.virt_type}'>
          <name>{name}</name><uuid>{uuid}</uuid>
          <metadata>{metadata}</metadata>
          <memory unit='MiB'>{memory}</memory><vcpu>1</vcpu>
          <os><type arch='x86_64'>hvm</type><bios useserial='yes'/></os>
          {extra}
          <devices><serial type='pty'/>{devices}</devices>
        </domain>"""

    @property
    def marked(self) -> str:
        """A domain with labctl's mark."""
        return self.xml(metadata=to_xml(MARK))


def _fake() -> Iterator[Backend]:
    yield Backend(FakeHypervisor(), "qemu")


def _test_driver() -> Iterator[Backend]:
    hypervisor = connect("test:///default")
    yield Backend(hypervisor, "test")
    _clear(hypervisor)


def _libvirtd(uri: str) -> Iterator[Backend]:
    hypervisor = connect(uri)
    yield Backend(hypervisor, "qemu")
    _clear(hypervisor)


def _clear(hypervisor: Hypervisor) -> None:
    """Remove all there is: the test driver's state lives as long as any connection to it."""
    for domain in hypervisor.domains():
        hypervisor.destroy(domain.name)
        hypervisor.undefine(domain.name)
    for network in hypervisor.networks():
        hypervisor.remove_network(network.name)
    hypervisor.close()


_LOCAL: dict[str, Callable[[], Iterator[Backend]]] = {"fake": _fake, "test": _test_driver}


@pytest.fixture(params=["fake", "test", pytest.param("libvirtd", marks=pytest.mark.libvirtd)])
def backend(request: pytest.FixtureRequest) -> Iterator[Backend]:
    """Each of the three."""
    yield from _backend(request)


@pytest.fixture(params=["fake", pytest.param("libvirtd", marks=pytest.mark.libvirtd)])
def capable(request: pytest.FixtureRequest) -> Iterator[Backend]:
    """Those that can do what libvirt's test driver can't."""
    yield from _backend(request)


@pytest.fixture
def real(libvirtd_uri: str) -> Iterator[Backend]:
    """The private libvirtd alone. Tests that use it bear the mark libvirtd."""
    yield from _libvirtd(libvirtd_uri)


def _backend(request: pytest.FixtureRequest) -> Iterator[Backend]:
    if request.param == "libvirtd":
        yield from _libvirtd(request.getfixturevalue("libvirtd_uri"))
    else:
        yield from _LOCAL[request.param]()
