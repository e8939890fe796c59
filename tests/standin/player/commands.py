"""Which command a typed line means: NX-OS takes any abbreviation that leaves no doubt."""

from __future__ import annotations

from collections.abc import Callable

from standin.player.control import Control
from standin.player.shows import evpn, overlay, routing, system
from standin.player.shows.output import Output
from standin.player.speaker import Speaker, speaker
from standin.player.switch import IMAGE, Switch

Show = Callable[[Switch, Control, dict[str, str]], Output]


def _own(switch: Switch) -> Speaker:
    with switch.lock:
        return speaker(switch.root, switch.hostname, switch.machine.macs[0])


def _directory(_switch: Switch, _control: Control, _words: dict[str, str]) -> Output:
    text = f"  985792512    Jun 14 12:00:00 2018  {IMAGE}\n"
    text += "       4096    Jan 01 00:00:00 2024  scripts/\n"
    return Output(
        text + "\nUsage for bootflash://sup-local\n 1200000000 bytes used\n 2393680896 bytes free\n"
    )


# `<x>` stands for any word, `[x]` for one that may be left out.
SHOWS: dict[str, Show] = {
    "show version": lambda s, c, w: system.version(s),
    "show boot": lambda s, c, w: system.boot(s),
    "show module": lambda s, c, w: system.module(s),
    "show system resources": lambda s, c, w: system.resources(s),
    "show vdc resource detail": lambda s, c, w: system.vdc_resource(s),
    "show running-config": lambda s, c, w: system.running(s),
    "show running-config vdc": lambda s, c, w: system.vdc_running(s),
    "show startup-config": lambda s, c, w: system.startup(s),
    "show interface brief": lambda s, c, w: system.interfaces(s),
    "show hostname": lambda s, c, w: Output(s.hostname, {"hostname": s.hostname}),
    "show logging [logfile]": lambda s, c, w: Output("\n".join(s.log)),
    "show logging last <n>": lambda s, c, w: Output("\n".join(s.log[-int(w["n"]) :])),
    "show hardware access-list tcam region": lambda s, c, w: system.tcam(s),
    "show running-config nv overlay": lambda s, c, w: system.overlay_running(s),
    "show ip ospf neighbors": lambda s, c, w: routing.ospf_neighbors(_own(s), c),
    "show bgp ipv4 unicast summary": lambda s, c, w: routing.summary(_own(s), c, "IPv4 Unicast"),
    "show bgp l2vpn evpn summary": lambda s, c, w: routing.summary(_own(s), c, "L2VPN EVPN"),
    "show bgp l2vpn evpn": lambda s, c, w: evpn.routes(_own(s), c),
    "show bgp l2vpn evpn route-type <n>": lambda s, c, w: evpn.routes(_own(s), c, w["n"]),
    "show bgp evi <vni>": lambda s, c, w: evpn.evi(_own(s), w["vni"]),
    "show bgp process vrf <vrf>": lambda s, c, w: evpn.vrf(_own(s), w["vrf"]),
    "show ip route vrf <vrf>": lambda s, c, w: routing.vrf_routes(_own(s), s.root, c, w["vrf"]),
    "show nve interface nve <n> [detail]": lambda s, c, w: overlay.interface(_own(s)),
    "show nve interface nve1 [detail]": lambda s, c, w: overlay.interface(_own(s)),
    "show nve peers [detail]": lambda s, c, w: overlay.peers(c),
    "show nve vni": lambda s, c, w: overlay.vnis(_own(s)),
    "show nve vni ingress-replication": lambda s, c, w: overlay.flood_lists(_own(s), c),
    "show l2route evpn imet all": lambda s, c, w: overlay.imets(_own(s), c),
    "show l2route evpn mac all": lambda s, c, w: overlay.l2_macs(_own(s), c),
    "show l2route evpn mac-ip all": lambda s, c, w: overlay.l2_mac_ips(),
    "dir [bootflash:]": _directory,
}
ACTIONS = (
    "configure [terminal]", "copy running-config startup-config", "reload", "exit", "logout", "end",
    "terminal length <n>", "terminal width <n>", "terminal dont-ask", "no terminal dont-ask",
    "write erase", "system no poap",
)  # fmt: skip


class Unclear(Exception):
    """No command, or more than one; the text is what NX-OS prints."""


def meant(line: str, patterns: tuple[str, ...]) -> tuple[str, dict[str, str]]:
    """The pattern a line means, with the words in its places. Raises Unclear."""
    words = line.split()
    found = [(p, values) for p in patterns if (values := _match(words, p.split())) is not None]
    exact = [
        hit
        for hit in found
        if _exactness(words, hit[0]) == max(_exactness(words, f[0]) for f in found)
    ]
    if len(exact) == 1:
        return exact[0]
    if exact:
        raise Unclear("% Ambiguous command at '^' marker.")
    partial = any(_begins(words, pattern.split()) for pattern in patterns)
    raise Unclear(f"% {'Incomplete' if partial else 'Invalid'} command at '^' marker.")


def _match(words: list[str], pattern: list[str]) -> dict[str, str] | None:
    values: dict[str, str] = {}
    left = list(words)
    for part in pattern:
        optional = part.startswith("[")
        if left and part.startswith("<"):
            values[part.strip("<>")] = left.pop(0)
        elif left and part.strip("[]").startswith(left[0].lower()):
            left.pop(0)
        elif not optional:
            return None
    return None if left else values


def _exactness(words: list[str], pattern: str) -> int:
    """How many words are written in full: `show nve vni` is not `show nve vni ...`'s short form."""
    return len(set(words) & set(pattern.replace("[", "").replace("]", "").split()))


def _begins(words: list[str], pattern: list[str]) -> bool:
    if not words or len(words) > len(pattern):
        return False
    parts = zip(words, pattern, strict=False)
    return all(p.startswith("<") or p.strip("[]").startswith(w.lower()) for w, p in parts)
