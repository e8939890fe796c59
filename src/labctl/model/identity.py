"""Names, UUIDs and MACs derived from lab and node: defining twice is the same thing.

Nothing here is random or reads a clock, so a rebuilt lab comes back the same.
"""

from __future__ import annotations

import hashlib
import re
from uuid import UUID, uuid5

NAMESPACE = UUID("6c616263-746c-5000-8000-6c6162637464")
NAME_PATTERN = r"[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?"
LOCAL_MACS = "02"
"""The prefix of locally administered MACs."""
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


def mac_address(lab: str, node: str, nic: int, *, prefix: str = LOCAL_MACS) -> str:
    """The MAC of a node's NIC: never QEMU's 52:54:00.

    `prefix` (the first bytes, as hex pairs with colons), then bits of the node's digest, then the
    NIC's number, so a node's NICs are consecutive, as on real hardware. A node has a block of 4096
    addresses under a prefix of one byte, of 256 under a longer one.
    """
    first = bytes.fromhex(prefix.replace(":", ""))
    nic_bits = 12 if len(first) == 1 else 8
    block_bits = 48 - 8 * len(first) - nic_bits
    block = int.from_bytes(hashlib.sha256(f"{lab}.{node}".encode()).digest()[:5], "big")
    value = int.from_bytes(first, "big") << (48 - 8 * len(first))
    value |= (block & ((1 << block_bits) - 1)) << nic_bits | nic
    return value.to_bytes(6, "big").hex(":")


def serial_number(lab: str, node: str) -> str:
    """The machine's serial number: 11 characters that begin with 9, as a Nexus 9000v's do.

    NX-OS uses it as DHCP client id, so no two nodes may share one (netlab issue 739).
    """
    return f"9{hashlib.sha256(f'{lab}.{node}'.encode()).hexdigest()[:10].upper()}"
