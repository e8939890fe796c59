"""The fake and the adapter have the protocol's methods, with its very signatures."""

from __future__ import annotations

import inspect

import pytest

from harness.fake import FakeHypervisor
from harness.fake_console import FakeConsole
from labctl.hypervisor.api import ConsoleStream, Hypervisor
from labctl.hypervisor.console import LibvirtConsole
from labctl.hypervisor.libvirt_adapter import LibvirtHypervisor


def signatures(of: type) -> dict[str, inspect.Signature]:
    public = {name: getattr(of, name) for name in dir(of) if not name.startswith("_")}
    return {name: inspect.signature(f) for name, f in public.items() if inspect.isfunction(f)}


@pytest.mark.parametrize(
    ("protocol", "filled_by"),
    [
        (Hypervisor, LibvirtHypervisor),
        (Hypervisor, FakeHypervisor),
        (ConsoleStream, LibvirtConsole),
        (ConsoleStream, FakeConsole),
    ],
)
def test_same_methods_same_signatures(protocol: type, filled_by: type) -> None:
    wanted, offered = signatures(protocol), signatures(filled_by)
    assert wanted
    assert {name: offered.get(name) for name in wanted} == wanted


def test_type_checker_agrees() -> None:
    """mypy reads this: both are assignable to the protocol."""
    fake: Hypervisor = FakeHypervisor()
    assert fake.uri == "fake:///"
