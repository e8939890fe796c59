"""Where and how a lab's machines run: what rendering must know of the host."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Literal, NamedTuple

from labctl.model.paths import Home
from labctl.model.platform import Firmware, Platform

ManagementMode = Literal["nat", "user", "none"]
"""How NIC 0 is wired: the lab's NAT network, QEMU's own user network, or not at all."""

TRANSLATION_CACHE = 128
"""MiB of translated code a machine of ours may hold under TCG; full, QEMU starts over. Its own
limit is 1 GiB: a guest of 256 MiB was seen to fill 700 MiB of it within a quarter of an hour."""


class Site(NamedTuple):
    """One host as the renderer sees it.

    `virt_type` is libvirt's domain type: kvm, qemu or test. `emulator` is the path of the QEMU
    binary, "" to let libvirt choose.
    """

    virt_type: str
    emulator: str
    home: Home
    management: ManagementMode
    firmware: Mapping[str, Firmware] = MappingProxyType({})
    """Platform name -> the firmware found for it on the host."""

    def firmware_for(self, platform: Platform) -> Firmware | None:
        """The platform's firmware: that found, else the first to look for; None for the BIOS."""
        return self.firmware.get(platform.name) or next(iter(platform.firmware), None)


class ImageRef(NamedTuple):
    """The golden image a node runs on: its file and the SHA-256 of its bytes."""

    path: Path
    sha256: str
