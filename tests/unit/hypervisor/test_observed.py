"""What a domain says of its cables."""

from __future__ import annotations

import pytest

from labctl.hypervisor.api import DomainState
from labctl.hypervisor.parse import observed_domain
from labctl.model.metadata import LabMetadata, to_xml

MARK = LabMetadata(
    "demo", "leaf-1", "leaf", "frr", "1", "s", {}, {"eth1": (10, 11), "eth2": (12, 13)}
)
NIC = """\
<interface type='udp'><mac address='02:00:00:00:00:{port}'/>
<source address='127.0.0.1' port='{far}'><local address='127.0.0.1' port='{port}'/></source>
{link}</interface>"""


@pytest.mark.parametrize(
    ("link", "unplugged"),
    [("", []), ("<link state='up'/>", []), ("<link state='down'/>", ["eth2"])],
)
def test_a_pulled_cable_is_named_by_its_interface(link: str, unplugged: list[str]) -> None:
    nics = NIC.format(port=10, far=11, link="") + NIC.format(port=12, far=13, link=link)
    xml = (
        f"<domain><name>x</name><memory>1</memory><metadata>{to_xml(MARK)}</metadata>"
        f"<devices>{nics}</devices></domain>"
    )
    assert observed_domain(xml, DomainState.RUNNING).unplugged() == unplugged


def test_a_foreign_domain_has_no_interface_names() -> None:
    nic = NIC.format(port=10, far=11, link="<link state='down'/>")
    xml = f"<domain><name>x</name><memory>1</memory><devices>{nic}</devices></domain>"
    assert observed_domain(xml, DomainState.RUNNING).unplugged() == []
