"""Networks: define, start, redefine, remove."""

from __future__ import annotations

import pytest

from harness.backends import MARK, Backend
from labctl.errors import HypervisorError
from labctl.hypervisor.api import ObservedNetwork
from labctl.model.metadata import to_xml

NAME = "labctl-contract"
UUID = "6c616263-746c-5000-8000-0000000000aa"


def network_xml(subnet: str = "198.18.7", extra: str = "") -> str:
    return f"""<network>
      <name>{NAME}</name><uuid>{UUID}</uuid>
      <metadata>{to_xml(MARK)}</metadata>
      <forward mode='nat'/>
      <bridge name='lab-contract' stp='off' delay='0'/>
      <ip address='{subnet}.1' netmask='255.255.255.0'/>{extra}
    </network>"""


def observed(backend: Backend) -> ObservedNetwork | None:
    found = {network.name: network for network in backend.hypervisor.networks()}
    return found.get(NAME)


def test_a_network_is_defined_and_started_once(backend: Backend) -> None:
    for _ in range(2):
        backend.hypervisor.define_network(network_xml())
        assert observed(backend) == ObservedNetwork(
            name=NAME,
            uuid=UUID,
            active=True,
            bridge="lab-contract",
            subnets=("198.18.7.0/24",),
            lab="contract",
        )


def test_a_network_is_removed_and_may_be_gone(backend: Backend) -> None:
    backend.hypervisor.define_network(network_xml())
    for _ in range(2):
        backend.hypervisor.remove_network(NAME)
        assert observed(backend) is None


def test_new_addresses_need_removal_first(backend: Backend) -> None:
    backend.hypervisor.define_network(network_xml())
    backend.hypervisor.remove_network(NAME)
    backend.hypervisor.define_network(network_xml("198.18.8"))
    network = observed(backend)
    assert network is not None
    assert network.subnets == ("198.18.8.0/24",)


def test_unknown_elements_are_refused(backend: Backend) -> None:
    with pytest.raises(HypervisorError) as caught:
        backend.hypervisor.define_network(network_xml(extra="<evil/>"))
    assert "VIR_ERR_XML_INVALID_SCHEMA" in caught.value.details
    assert observed(backend) is None
