"""NX-OS's ways of writing interfaces, MACs and protocols, as the rest of labctl writes them."""

from __future__ import annotations

import re

_SHORT = re.compile(r"Eth(?:ernet)?(?=\d)")


def interface(name: str) -> str:
    """`Eth1/1` is Ethernet1/1 in full."""
    return _SHORT.sub("Ethernet", name.strip())


def mac(text: str) -> str:
    """`0000.2222.3333` with colons; "" for what is none."""
    digits = re.sub(r"[^0-9a-f]", "", text.lower())
    return ":".join(re.findall("..", digits)) if len(digits) == 12 else ""


def protocol(client: str) -> str:
    """`bgp-65000` is bgp; `direct` is what Linux calls connected."""
    name = client.partition("-")[0]
    return {"direct": "connected", "am": "host", "hmm": "host"}.get(name, name)
