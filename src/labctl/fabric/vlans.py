"""VLANs that labctl gives out itself, on switches that need one where Linux needs none."""

from __future__ import annotations

FIRST_L3 = 3900
"""Of the first VRF's L3 VNI; the others count down from it, so that a further VRF moves none."""
BACKUP = 3950
"""Of the routed link between the halves of a vPC pair."""


def l3_vlan(place: int) -> int:
    """The VLAN that stands for the L3 VNI of the file's VRF `place`, counted from 0."""
    return FIRST_L3 - place
