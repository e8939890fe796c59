"""Connecting, and what is said when it fails."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from harness.libvirtd import PrivateLibvirtd
from labctl.errors import HypervisorError
from labctl.hypervisor.connect import connect, default_uri

PATIENCE = 4.0


def test_the_default_is_virsh_s(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIBVIRT_DEFAULT_URI", "test:///default")
    hypervisor = connect()
    assert hypervisor.uri == "test:///default"
    assert hypervisor.host().driver == "TEST"
    hypervisor.close()
    hypervisor.close()


@pytest.mark.parametrize(("uid", "uri"), [(0, "qemu:///system"), (1000, "qemu:///session")])
def test_the_default_without_a_variable(
    monkeypatch: pytest.MonkeyPatch, uid: int, uri: str
) -> None:
    monkeypatch.delenv("LIBVIRT_DEFAULT_URI", raising=False)
    monkeypatch.setattr(os, "geteuid", lambda: uid)
    assert default_uri() == uri


def test_no_daemon(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    uri = f"qemu+unix:///system?socket={tmp_path}/libvirt-sock"
    with pytest.raises(HypervisorError) as caught:
        connect(uri)
    assert uri in caught.value.brief
    assert "VIR_ERR_SYSTEM_ERROR" in caught.value.details
    assert "scripts/host-libvirtd start" in caught.value.resolution
    assert capfd.readouterr().err == "", "libvirt itself must print nothing"


@pytest.mark.parametrize("uri", ["test:///no/such/file.xml", "qemu://[::1/system"])
def test_a_bad_uri(uri: str) -> None:
    with pytest.raises(HypervisorError) as caught:
        connect(uri)
    assert caught.value.resolution


@pytest.mark.parametrize("uri", ["foo://bar", "foo:///bar", "nonsense", "qemu:///nonsense"])
def test_a_uri_of_no_hypervisor_labctl_knows(uri: str) -> None:
    with pytest.raises(HypervisorError) as caught:
        connect(uri)  # with or without a daemon on this machine
    assert f"{uri} is not a libvirt URI labctl knows" in caught.value.resolution


def test_a_socket_nobody_serves_is_given_up(tmp_path: Path) -> None:
    path = tmp_path / "libvirt-sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        with pytest.raises(HypervisorError, match=r"no answer from libvirt .* within 0\.5 s"):
            connect(f"qemu+unix:///system?socket={path}", patience=0.5)


@pytest.mark.libvirtd
def test_a_frozen_daemon_fails_the_call_at_hand(libvirtd: PrivateLibvirtd) -> None:
    hypervisor = connect(libvirtd.uri, patience=PATIENCE)
    assert hypervisor.domains() == ()
    with libvirtd.frozen():
        with pytest.raises(HypervisorError) as caught:
            hypervisor.domains()
        with pytest.raises(HypervisorError, match="no answer from libvirt"):
            connect(libvirtd.uri, patience=0.5)
    assert "libvirtd died or hangs" in caught.value.resolution
    with pytest.raises(HypervisorError):
        hypervisor.domains()
    hypervisor.close()
    again = connect(libvirtd.uri)
    assert again.domains() == ()
    again.close()


@pytest.mark.libvirtd
def test_a_read_only_connection_changes_nothing(libvirtd: PrivateLibvirtd) -> None:
    """The private daemon serves libvirt's read-only socket under a name of its own."""
    hypervisor = connect(libvirtd.uri.replace("libvirt-sock", "libvirt-sock-ro"), readonly=True)
    assert hypervisor.domains() == ()
    with pytest.raises(HypervisorError) as caught:
        hypervisor.define("<domain type='qemu'><name>contract.x</name></domain>")
    assert "VIR_ERR_OPERATION_DENIED" in caught.value.details
    hypervisor.close()
