"""What a virtual machine on ESXi must have for an image of a platform."""

from __future__ import annotations

from typing import NamedTuple

from labctl.model.platform import Platform

SPARSE, STREAM = "monolithicSparse", "streamOptimized"
_SATA = "sata"


class EsxiNeeds(NamedTuple):
    """The machine's settings, and how its disk gets there. Memory in MiB."""

    memory: int
    memory_floor: int
    vcpus: int
    firmware: str
    disk: str
    nics: str
    serial_ports: int
    hardware_version: int
    how: str


_HARDWARE_VERSION = 10
"""The first of ESXi 5.5 (Broadcom's HardwareVersions, KB 1003746), whose machines can have SATA
controllers (vSphere's "SCSI and SATA Storage Controller Conditions")."""
_HOW = {
    # An OVF's disks are streamOptimized; ESXi wants version 3 of it, which qemu-img writes since
    # 2.5.1 (COT's documentation of COT.disks.vmdk).
    STREAM: "put it into an OVF or OVA and import that (ovftool, or the host's web client): "
    "a machine can't run from this format itself",
    # "you cannot power on the sparse disk on an ESXi host unless you first re-import the disk with
    # vmkfstools" (vSphere Storage, "Supported Disk Formats").
    SPARSE: "copy it to a datastore and `vmkfstools -i {file} NEW.vmdk -d thin` there: "
    "a machine can't run from this format itself",
}


def esxi_needs(platform: Platform, subformat: str, file: str) -> EsxiNeeds | None:
    """What a machine for `platform`, fitted to its image, must have; None where nobody ran one.

    Known of the Nexus 9000v alone: SATA disks, as GNS3 and CML give it; e1000, or vmxnet3 too, and
    exactly one serial port by COT's validator of Cisco's own OVA.
    """
    if platform.disk_bus != _SATA:
        return None
    return EsxiNeeds(
        memory=platform.memory,
        memory_floor=platform.memory_floor,
        vcpus=platform.vcpus,
        firmware="EFI, secure boot off" if platform.firmware else "BIOS",
        disk="SATA (AHCI) controller",
        nics=f"{platform.nic_model} or vmxnet3, the first of them {platform.interfaces.management}",
        serial_ports=1,
        hardware_version=_HARDWARE_VERSION,
        how=_HOW[subformat].format(file=file),
    )
