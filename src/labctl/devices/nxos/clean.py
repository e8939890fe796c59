"""A saved running configuration made fit to be fed back to a rebuilt node."""

from __future__ import annotations

import re

_HEADER = re.compile(
    r"!(?:Command|Running configuration|Startup config|Time|No configuration change)\b.*"
)
_DROPPED = re.compile(
    r"version \S+.*"
    r"|boot nxos\b.*|boot (?:kickstart|system)\b.*"
    r"|username admin\b.*"
    r"|snmp-server user \S+ .*\blocalizedkey\b.*"
    r"|copp profile strict"
    r"|terminal dont-ask"
)
_DROPPED_BLOCKS = re.compile(r"vdc \S+ id \d+|event manager applet LABCTL-BOOT")
_DROPPED_INSIDE = {
    "interface mgmt0": re.compile(r"ip(?:v6)? address\b.*"),
    "vrf context management": re.compile(r"ip route 0\.0\.0\.0/0\b.*|ipv6 route (?:0::|::)/0\b.*"),
}


def clean_config(text: str) -> str:
    """What `show running-config` prints, without what is the machine's own or labctl's to set.

    - The comments on top and `version`: they tell of the hour and the image it was saved on.
    - `boot nxos`: the day-0 sets it for the image the node runs; another image's name there ends
      at `loader >` with the next reload.
    - `username admin`: labctl's secret is in force, and a hash is not for a file that is shared.
      Other users stay.
    - SNMP users with `localizedkey`: the key is bound to the engine ID of the old machine, and the
      one of admin comes with the user.
    - The addresses of mgmt0 and the default route of VRF management: with those of another
      machine a node is healthy and can't be reached (vrnetlab pull request 495).
    - The `vdc` block: its name is the host name's, its route limits are what NX-OS made of the
      memory it had, and would hold on a larger machine too.
    - The applet LABCTL-BOOT, which the day-0 brings and which goes when it has done its work.
    - `copp profile strict`, `terminal dont-ask`: the first asks y/n and hangs an unattended boot
      (vrnetlab issues 373 and 374); it is what NX-OS takes anyway.
    """
    kept: list[str] = []
    parent = ""
    for line in text.replace("\r", "").splitlines():
        line = line.rstrip()
        if line and not line[0].isspace():
            parent = line
        if not _is_dropped(line, parent):
            kept.append(line)
    body = re.sub(r"\n{3,}", "\n\n", "\n".join(kept)).strip("\n")
    return f"{body}\n" if body else ""


def _is_dropped(line: str, parent: str) -> bool:
    if _DROPPED_BLOCKS.fullmatch(parent):
        return bool(line)
    if line == parent:
        return bool(_HEADER.fullmatch(line) or _DROPPED.fullmatch(line))
    inside = _DROPPED_INSIDE.get(parent)
    return inside is not None and inside.fullmatch(line.strip()) is not None
