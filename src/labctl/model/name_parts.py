"""The pieces of an image's name, each with what it tells a network engineer.

Families after the files gns3-registry, EVE-NG, PNETLab, CML (its image definitions) and vrnetlab
(cisco/n9kv) know; F and M after Cisco's upgrade guide for 10.2; the disk names are EVE-NG's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from labctl.model.release import Release


class NamePart(NamedTuple):
    """A piece of the name as written, what it is, and what it tells."""

    text: str
    kind: str
    meaning: str


_NXOSV = "Cisco's file name of NX-OSv, the virtual Nexus 7000"
_FAMILIES = {
    "titanium": _NXOSV,
    "titanium-d1": _NXOSV,
    "titanium-final": _NXOSV,
    "nxosv-final": "Cisco's file name of the Nexus 9000v up to 9.2(3)",
    "nxosv": "Cisco's file name of the Nexus 9000v from 9.2(4) to 9.3(1)",
    "nexus9300v": "Cisco's file name of the Nexus 9300v, a fixed switch, since 9.3(3)",
    "nexus9500v": "Cisco's file name of the Nexus 9500v, a modular switch, since 9.3(3)",
    "nxosv9k": "EVE-NG and PNETLab folder name of the Nexus 9000v",
    "nxosv9000": "CML image name of the Nexus 9000v",
    "nxosv9300": "CML image name of the Nexus 9300v, a fixed switch",
    "nxosv9500": "CML image name of the Nexus 9500v, a modular switch",
    "n9kv": "vrnetlab file name of the Nexus 9000v",
}
_CISCO_USED = {
    "nxosv-final": (None, Release(9, 2, 3)),
    "nxosv": (Release(9, 2, 4), Release(9, 3, 1)),
}
"""Since when and until when (gns3-registry). Others go about under these names all the same: one
published listing has a nxosv.9.3.9.qcow2 of the very size of nexus9300v.9.3.9.qcow2."""
_PRODUCTS = {
    "9000": "Nexus 9000v",
    "9300": "Nexus 9300v: a fixed switch",
    "9500": "Nexus 9500v: a modular switch",
}
_TRAINS = {
    "I": "I: Nexus 9000 platform train (D would be Nexus 7000)",
    "D": "D: Nexus 7000 platform train (I would be Nexus 9000)",
}
_KINDS = {
    "F": "feature release: new functions and hardware, and fixes",
    "M": "maintenance release: fixes only",
}
_FORMATS = {
    "qcow2": "QEMU disk image",
    "vmdk": "VMware disk image",
    "ova": "VMware appliance: a tar archive with a VMDK in it",
    "ova.vmdk": "VMware disk image taken out of an OVA",
    "box": "Vagrant box: a tar archive with a disk image in it",
}
_UNTOLD = "; which of 9000v, 9300v and 9500v it is, the name doesn't tell"


def explained(words: Mapping[str, str], release: Release, product: str) -> Iterator[NamePart]:
    """A part for each of `words` (by kind, in the order written) that isn't empty."""
    meanings = {
        "folder": "where the image is; tells nothing of it",
        "family": _family(words["family"].lower(), release, product),
        "product": _PRODUCTS.get(words["product"][:4], "") + ("" if product else _UNTOLD),
        "bits": "64-bit system; there are such since 10.1(1)",
        "variant": "lite: a reduced image that needs less memory",
        "release": _release(release),
        "train": f"{_TRAINS.get(release.train, '')}, number {release.train_number} of it",
        "rebuild": f"rebuild {words['rebuild'].lower()} of {release.train}{release.train_number}"
        f": the whole release is {release}",
        "kind": _KINDS.get(release.kind, ""),
        "disk": "EVE-NG's name for a machine's disk; the folder names the image",
        "format": _FORMATS.get(words["format"].lower(), ""),
    }
    return (NamePart(text, kind, meanings[kind]) for kind, text in words.items() if text)


def _family(family: str, release: Release, product: str) -> str:
    meaning = _NXOSV if release.train == "D" else _FAMILIES[family] + _out_of_time(family, release)
    return meaning + ("" if product else _UNTOLD)


def _out_of_time(family: str, release: Release) -> str:
    if release.within(*_CISCO_USED.get(family, (None, None))):
        return ""
    return f", which it was not for {release}: somebody else gave this name"


def _release(release: Release) -> str:
    maintenance = f"{release.maintenance}{release.letter}"
    return (
        f"NX-OS {release.major}.{release.minor}({maintenance}): major {release.major}, "
        f"minor {release.minor}, maintenance {maintenance}"
    )
