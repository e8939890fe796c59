"""What a connection URI tells."""

from __future__ import annotations

import pytest

from labctl.hypervisor.facts import is_local


@pytest.mark.parametrize(
    ("uri", "local"),
    [
        ("qemu:///system", True),
        ("qemu+unix:///session?socket=/run/user/1000/libvirt/libvirt-sock", True),
        ("test:///default", True),
        ("test:///tmp/node.xml", True),
        ("qemu+ssh://root@192.0.2.1/system", False),
        ("qemu+ssh://lab-1/system?keyfile=/root/.ssh/id", False),
        ("qemu+tls://[2001:db8::1]:16514/system", False),
    ],
)
def test_local_is_without_a_host(uri: str, local: bool) -> None:
    assert is_local(uri) is local
