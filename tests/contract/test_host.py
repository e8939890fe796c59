"""Facts about the host."""

from __future__ import annotations

import pytest

from harness.backends import Backend
from labctl.errors import HypervisorError


def test_facts(backend: Backend) -> None:
    facts = backend.hypervisor.host()
    assert facts.uri == backend.hypervisor.uri
    assert facts.is_local
    assert facts.cpus > 0
    assert facts.driver == {"test": "TEST", "qemu": "QEMU"}[backend.virt_type]
    assert all(part.isdigit() for part in facts.libvirt_version.split("."))


def test_memory_is_told_or_unknown(backend: Backend) -> None:
    facts = backend.hypervisor.host()
    if backend.virt_type == "test":
        assert facts.memory_total is None
        assert facts.memory_free is None
    else:
        assert facts.memory_total is not None
        assert facts.memory_free is not None
        assert 0 < facts.memory_free < facts.memory_total


def test_the_type_it_runs_is_offered(backend: Backend) -> None:
    assert backend.virt_type in backend.hypervisor.virt_types()


def test_domain_capabilities(capable: Backend) -> None:
    offered = capable.hypervisor.domain_capabilities("qemu", "pc")
    assert offered is not None
    assert (offered.virt_type, offered.machine) == ("qemu", "pc")
    assert {"pc", "q35"} <= offered.machines
    assert "rom" in offered.loader_types
    assert "virtio" in offered.disk_buses
    assert offered.lookup_seconds > 0


def test_an_unknown_machine_is_refused(capable: Backend) -> None:
    with pytest.raises(HypervisorError) as caught:
        capable.hypervisor.domain_capabilities("qemu", "zx81")
    assert "VIR_ERR_INVALID_ARG" in caught.value.details


@pytest.mark.libvirtd
def test_the_private_daemon_offers_no_kvm(real: Backend) -> None:
    """Its /dev has none, so that all machines test alike."""
    assert real.hypervisor.virt_types() == {"qemu"}
