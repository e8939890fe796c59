"""The folder libvirt 9 forgets to make for a NAT network without DHCP and DNS."""

from __future__ import annotations

from pathlib import Path

import libvirt

from labctl.hypervisor.networks import make_folder
from labctl.hypervisor.refusal import translate


def test_the_folder_is_made_once(tmp_path: Path) -> None:
    folder = tmp_path / "libvirt" / "dnsmasq"
    make_folder(folder)
    make_folder(folder)
    assert folder.is_dir()


def test_where_it_cannot_be_made_libvirt_s_refusal_says_how(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.touch()
    make_folder(blocked / "dnsmasq")
    error = libvirt.libvirtError(
        "Failed to create file '/var/lib/libvirt/dnsmasq/lab-1.macs.new': No such file or directory"
    )
    assert "mkdir -p" in translate(error, "start domain x.y").resolution
