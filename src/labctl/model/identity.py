"""Names, UUIDs and MACs derived from lab and node: defining twice is the same thing.

Nothing here is random or reads a clock, so a rebuilt lab comes back the same.
"""

from __future__ import annotations

import hashlib
import re
from uuid import UUID, uuid5

NAMESPACE = UUID("6c616263-746c-5000-8000-6c6162637464")
NAME_PATTERN = r"[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?"
_NAME = re.compile(NAME_PATTERN)


def is_safe_name(name: str) -> bool:
    """True for names safe in XML, file names, DNS and libvirt: RFC 1123 labels, 32 at most."""
    return _NAME.fullmatch(name) is not None


def domain_name(lab: str, node: str) -> str:
    """The libvirt domain's name. No lab or node name can hold a dot, so it can't be ambiguous."""
    return f"{lab}.{node}"


def domain_uuid(lab: str, node: str) -> UUID:
    """The domain's UUID (version 5)."""
    return uuid5(NAMESPACE, f"{lab}.{node}")


def network_name(lab: str) -> str:
    """The libvirt name of the lab's management network."""
    return f"labctl-{lab}"


def network_uuid(lab: str) -> UUID:
    """The management network's UUID (version 5)."""
    return uuid5(NAMESPACE, f"{lab}/management")


def bridge_name(lab: str) -> str:
    """The management network's bridge: a kernel interface name, 15 characters at most."""
    return f"lab-{hashlib.sha256(lab.encode()).hexdigest()[:8]}"


def mac_address(lab: str, node: str, nic: int) -> str:
    """The MAC of a node's NIC: locally administered, never QEMU's 52:54:00.

    A block of 4096 addresses per node: 02, then 28 bits of the node's digest, then the NIC's
    number, so a node's NICs are consecutive, as on real hardware.
    """
    block = int.from_bytes(hashlib.sha256(f"{lab}.{node}".encode()).digest()[:5], "big")
    value = (0x02 << 40) | ((block & 0xFFFFFFF) << 12) | nic
    return value.to_bytes(6, "big").hex(":")
