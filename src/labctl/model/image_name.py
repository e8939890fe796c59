"""What an image's name says of a Nexus 9000v: family, product, release, the file it boots.

A name is FAMILY [PRODUCT] ["64"] ["-lite"] RELEASE [ENDING], in any letter case, its pieces parted
by dots (Cisco's files) or dashes (CML's image names). Nothing is guessed: what is not understood
is refused, and what a name leaves open stays open.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from labctl.model.name_parts import NamePart, explained
from labctl.model.release import Release, parse_release

SCHEMES = (
    "Cisco's files: nxosv-final.7.0.3.I7.4.qcow2, nxosv.9.3.1.qcow2, "
    "nexus9300v.9.3.13.qcow2, nexus9500v64-lite.10.5.5.M.qcow2, titanium-final.7.3.0.D1.1.qcow2",
    "EVE-NG and PNETLab folders: nxosv9k-7.0.3.I7.4, nxosv9k-9300v-9.3.9, nxosv9k-9500-9.3.9",
    "CML image names: nxosv9000-9-2-4, nxosv9300-10-6-2-f",
    "vrnetlab files: n9kv-9300-10.5.2.qcow2, n9kv-9500-lite-10.5.5.M.qcow2",
)
"""Every scheme understood, with names that follow it."""


class ImageName(NamedTuple):
    """What a name says. `product` is 9000v, 9300v, 9500v or NX-OSv, "" where it doesn't tell.

    `bits` is 32 or 64, 0 where the name doesn't tell. `boot_image` is the file the device boots
    from its bootflash, "" where the name doesn't tell; `format` is the file's ending without the
    dot, "" for a name without one.
    """

    text: str
    family: str
    product: str
    release: Release
    bits: int
    lite: bool
    boot_image: str
    format: str
    parts: tuple[NamePart, ...]


_NUMBER = r"(?:0|[1-9][0-9]{0,2})"
_FLAGS = re.ASCII | re.IGNORECASE
_HEAD = re.compile(
    r"(?P<family>titanium(?:-final|-d1)?|nxosv9k|nxosv-final|nxosv(?:9[035]00)?|nexus9[35]00v|n9kv)"
    r"(?:-(?P<product>9[035]00v?))?(?P<bits>64)?(?:-(?P<variant>lite))?",
    _FLAGS,
)
_RELEASE = re.compile(
    rf"[-.](?P<release>{_NUMBER}[-.]{_NUMBER}[-.]{_NUMBER}[a-z]?)"
    rf"(?:[-.](?P<train>[di]{_NUMBER})(?:[-.](?P<rebuild>{_NUMBER}[a-z]?))?)?"
    r"(?:[-.](?P<kind>[fm]))?(?![a-z0-9])",
    _FLAGS,
)
_ENDING = re.compile(r"(?:\.(?P<format>ova\.vmdk|qcow2|vmdk|ova|box))?", _FLAGS)
_IN_THE_DEVICE = re.compile(r"(?:nxos(?:64)?(?:-cs)?(?:-lite)?|n9000-dk9)\.[0-9].*\.bin", _FLAGS)
_EVE_DISK = re.compile(r"(?P<disk>(?:sata|hd|virtio|scsi)[a-z])\.(?P<format>qcow2)", _FLAGS)

_FIRST_NXOS = Release(7, 0, 3, train="I", train_number=2)
"""Boot images were n9000-dk9.* before (Cisco's 9000 upgrade guide for 7.x)."""
_LAST_9000V = Release(9, 3, 1)
"""nxosv.9.3.1 is the last image of one product (gns3-registry)."""
_FIRST_9300V = Release(9, 3, 3)
_FIRST_64 = Release(10, 1, 1)
_FIRST_KIND = Release(10, 2, 1)
_ALL_64 = Release(10, 2, 2)
"""From 10.2(2)F every Nexus runs one of two 64-bit images, nxos64-cs on a 9000 (Cisco's upgrade
guide for 10.2); 10.2(1)F still came as nxos64.10.2.1.F.bin (directory listings in public)."""
_FIRST_LITE = Release(10, 2, 3)
"""nexus9300v64-lite.10.2.3.F is the first seen (mweisel/cisco-nxos9kv-vagrant-libvirt)."""


def parse_name(name: str) -> ImageName:
    """Raises ValueError that says which part of the name is not understood."""
    words = _words(name)
    release = _as_release(words)
    if wrong := _contradictions(words, release):
        raise ValueError(f"{name!r}: {wrong}")
    product = _product(words, release)
    bits = _bits(words, release)
    return ImageName(
        text=name,
        family=words["family"].lower(),
        product=product,
        release=release,
        bits=bits,
        lite=bool(words["variant"]),
        boot_image=_boot_image(release, bits, bool(words["variant"])),
        format=words["format"].lower(),
        parts=tuple(explained(words, release, product)),
    )


def _words(name: str) -> dict[str, str]:
    """The pieces as written, by kind and in their order; "" for those that aren't there."""
    folder, image, tail = _from_path(name)
    head = _HEAD.match(image)
    if _IN_THE_DEVICE.fullmatch(image):
        raise ValueError(
            f"{name!r}: {image!r} is a boot image, which a Nexus keeps on its bootflash; "
            "it is no disk image, and no machine starts from it"
        )
    if head is None:
        raise ValueError(f"{name!r}: {image!r} begins with no family of Nexus images")
    rest = image[head.end() :]
    release = _RELEASE.match(rest)
    if release is None:
        wrong = f"{rest!r} after" if rest else "nothing follows"
        raise ValueError(f"{name!r}: {wrong} {head[0]!r}: no release like 7.0.3.I7.4 or 9.3.13")
    ending = _ENDING.fullmatch(rest, release.end())
    if ending is None or (tail and ending[0]):
        rest = rest[release.end() :]
        raise ValueError(f"{name!r}: {rest!r} after {head[0]}{release[0]} is not understood")
    found = head.groupdict() | release.groupdict() | {"disk": ""} | ending.groupdict() | tail
    return {"folder": folder} | {kind: text or "" for kind, text in found.items()}


def _from_path(name: str) -> tuple[str, str, dict[str, str]]:
    """Folder, what names the image, and disk and format where that is a folder of EVE-NG's."""
    folder, slash, image = name.rstrip("/").rpartition("/")
    disk = _EVE_DISK.fullmatch(image)
    if disk and slash:
        folder, slash, image = folder.rpartition("/")
    return folder + slash, image, disk.groupdict() if disk else {}


def _as_release(words: Mapping[str, str]) -> Release:
    major, minor, maintenance = re.split(r"[-.]", words["release"].lower())
    text = f"{major}.{minor}({maintenance}){words['train'].upper()}"
    text += f"({words['rebuild'].lower()})" if words["rebuild"] else words["kind"].upper()
    return parse_release(text)


def _contradictions(words: Mapping[str, str], release: Release) -> str:
    """What in the name can't be true together."""
    family, train = words["family"].lower(), words["train"]
    titanium = family.startswith("titanium")
    old = release < Release(9, 0, 0)
    checks = (
        (old and not train, f"{words['release']} lacks its train and rebuild, like I7.4"),
        (
            bool(train) and not release.rebuild,
            f"train {train} lacks its rebuild, a number from 1 on",
        ),
        (bool(train) and not old, f"train {train}: there are none since 9.2"),
        (titanium and release.train != "D", f"{family} is a Nexus 7000, whose trains are D"),
        (
            release.train == "D" and not titanium and family != "nxosv",
            f"train {train} is the Nexus 7000's, {family} a Nexus 9000",
        ),
        (
            bool(_modular_or_fixed(words)) and release < _FIRST_9300V,
            f"there is no {_modular_or_fixed(words)} before {_FIRST_9300V}",
        ),
        (bool(words["bits"]) and release < _FIRST_64, f"no 64-bit image before {_FIRST_64}"),
        (bool(words["variant"]) and release < _FIRST_LITE, f"no lite image before {_FIRST_LITE}"),
        (
            bool(words["kind"]) and release < _FIRST_KIND,
            f"{words['kind']} marks releases since {_FIRST_KIND}",
        ),
    )
    return "; ".join(message for wrong, message in checks if wrong)


def _modular_or_fixed(words: Mapping[str, str]) -> str:
    """9300v or 9500v where the name says so; 9000 is said of all three (CML's nxosv9000)."""
    found = re.search("9[35]00", words["product"] or words["family"])
    return f"{found[0]}v" if found else ""


def _product(words: Mapping[str, str], release: Release) -> str:
    if release.train == "D":
        return "NX-OSv"
    return _modular_or_fixed(words) or ("" if release > _LAST_9000V else "9000v")


def _bits(words: Mapping[str, str], release: Release) -> int:
    if words["bits"] or release >= _ALL_64:
        return 64
    if release.train == "D":
        return 0
    # 10.1 came as both; of these Cisco's own files alone say which by leaving the 64 out.
    told = release < _FIRST_64 or words["family"].lower().startswith("nexus")
    return 32 if told else 0


def _boot_image(release: Release, bits: int, lite: bool) -> str:
    """NX-OSv boots two files, a kickstart and a system image: told as none."""
    untold = release >= _FIRST_KIND and not release.kind
    if release.train == "D" or not bits or untold:
        return ""
    if release < _FIRST_NXOS:
        return f"n9000-dk9.{release.dotted}.bin"
    if release < _ALL_64:
        return f"nxos{'64' if bits == 64 else ''}.{release.dotted}.bin"
    return f"nxos64-cs{'-lite' if lite else ''}.{release.dotted}.bin"
