"""The pings that prove forwarding: which to run, and what came of them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import TypeVar

from labctl.devices.facts import ParseError
from labctl.devices.linux.parse import ping
from labctl.devices.reading import Unknown, no_output
from labctl.model.intent import Leg
from labctl.verify.evidence import slug
from labctl.verify.fabric import Fabric
from labctl.verify.make import check, unknown
from labctl.verify.model import Check, CheckKind

MOST_OF_A_KIND = 256
"""Pings of one kind in a lab; of more, an even sample is taken, always the same."""
WAIT_SECONDS = 3
"""For one answer. With a deadline (-w) iputils' ping asks once a second, and ends with the first
answer or with an error the network reports: `-c` counts answers then (its manual, under -w)."""
_SLUG = re.compile(r"^ping_(?:.*_)?(\d+_\d+_\d+_\d+)$")
_VRF = re.compile(r"_I_(.+?)(?:_[A-Za-z]_.*)?_\d+_\d+_\d+_\d+$")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Ping:
    """One ping from a host's leg. `to` is the host it goes to, "" for the gateway."""

    kind: CheckKind
    host: str
    leg: Leg
    target: IPv4Address
    to: str
    vni: int

    @property
    def argv(self) -> tuple[str, ...]:
        """As run on the host; a leg with a VRF of its own is pinged from there."""
        source = ("-I", self.leg.vrf) if self.leg.vrf else ()
        numbers = ("-c", "1", "-w", str(WAIT_SECONDS))
        return ("ping", *numbers, *source, str(self.target))


def plan_pings(fabric: Fabric) -> tuple[Ping, ...]:
    """Every leg to its gateway; in each network round the hosts; from each network to the next.

    Enough to cross every VTEP's data path both ways without pinging all from all.
    """
    gateways = [
        Ping(CheckKind.PING_GATEWAY, host, leg, leg.gateway, "", leg.network.vni)
        for host, leg in fabric.legs
    ]
    return (
        *_sample(gateways),
        *_sample(list(_within_networks(fabric))),
        *_sample(list(_across_networks(fabric))),
    )


def _sample(items: Sequence[T]) -> Sequence[T]:
    step = -(-len(items) // MOST_OF_A_KIND) or 1
    return items[::step]


def _members(fabric: Fabric, vni: int) -> list[tuple[str, Leg]]:
    return [(host, leg) for host, leg in fabric.legs if leg.network.vni == vni]


def _within_networks(fabric: Fabric) -> Iterator[Ping]:
    for vrf in fabric.intent.lab.fabric.vrfs:
        for network in vrf.networks:
            members = _members(fabric, network.vni)
            if len(members) < 2:
                continue
            for (host, leg), (to, far) in zip(members, members[1:] + members[:1], strict=True):
                yield Ping(CheckKind.PING_NETWORK, host, leg, far.address.ip, to, network.vni)


def _across_networks(fabric: Fabric) -> Iterator[Ping]:
    """From each network to the next one of its VRF, to another host where there is one."""
    for vrf in fabric.intent.lab.fabric.vrfs:
        groups = [(n, members) for n in vrf.networks if (members := _members(fabric, n.vni))]
        if len(groups) < 2:
            continue
        for (_, sources), (_, targets) in zip(groups, groups[1:] + groups[:1], strict=True):
            for number, (host, leg) in enumerate(sources):
                turned = targets[number + 1 :] + targets[: number + 1]
                others = [(to, far) for to, far in turned if to != host]
                for to, far in others[:1]:
                    yield Ping(CheckKind.PING_VRF, host, leg, far.address.ip, to, vrf.vni)


def ping_checks(fabric: Fabric) -> Iterator[Check]:
    """The planned pings, then whatever other pings into the lab's networks were recorded."""
    recorded = {host: _recorded(fabric, host) for host in fabric.hosts}
    planned = set()
    for each in plan_pings(fabric):
        vrf = slug(each.leg.vrf)
        planned.add((each.host, vrf, each.target))
        text = recorded[each.host].get((vrf, each.target))
        yield _check(fabric, each, text)
    for host, table in recorded.items():
        for (vrf, target), text in table.items():
            if (host, vrf, target) not in planned:
                yield from _other(fabric, host, target, text)


def _recorded(fabric: Fabric, host: str) -> dict[tuple[str, IPv4Address], str]:
    """The pings run on a host: (VRF slug, target) -> output, whatever their other options."""
    found = {}
    for command, text in fabric.outputs[host].items():
        match = _SLUG.match(command)
        if match is not None:
            vrf = _VRF.search(command)
            target = _address(match[1])
            if target is not None:
                found[vrf[1] if vrf else "", target] = text
    return found


def _address(slugged: str) -> IPv4Address | None:
    try:
        return IPv4Address(slugged.replace("_", "."))
    except ValueError:
        return None


def _check(fabric: Fabric, each: Ping, text: str | None) -> Check:
    subject = f"{each.leg.network.name} to {each.to or 'gateway'} {each.target}"
    far = fabric.leaf_of.get(each.to, ())
    peers = [name for name in (each.to, *fabric.leaf_of[each.host], *far) if name]
    ok, seen = _outcome(text)
    if ok is None:
        seen = no_output(shlex.join(each.argv)) if text is None else seen
        return unknown(
            each.kind,
            each.host,
            subject,
            Unknown(seen),
            expected="replies",
            peers=peers,
            vni=each.vni,
        )
    return check(
        each.kind,
        each.host,
        subject,
        expected="replies",
        ok=ok,
        seen=seen,
        peers=peers,
        vni=each.vni,
    )


def _outcome(text: str | None) -> tuple[bool | None, str]:
    if text is None:
        return None, "no output of the ping"
    try:
        result = ping(text)
    except ParseError as error:
        return None, f"can't be read: {error}"
    if result.sent == 0:
        return False, f"refused: {text.strip().splitlines()[-1][:120]}"
    if result.sent is None:
        return result.received > 0, "answered" if result.received else "no answer"
    return result.received > 0, f"{result.received} of {result.sent} answered"


def _other(fabric: Fabric, host: str, target: IPv4Address, text: str) -> Iterator[Check]:
    for vrf in fabric.intent.lab.fabric.vrfs:
        for network in vrf.networks:
            if target in network.gateway.network:
                ok, seen = _outcome(text)
                subject = f"to {target} in {network.name}"
                yield check(
                    CheckKind.PING_OTHER,
                    host,
                    subject,
                    expected="replies",
                    ok=ok,
                    seen=seen,
                    peers=fabric.leaf_of[host],
                    vni=network.vni,
                )


def heard(fabric: Fabric) -> frozenset[str]:
    """Addresses of hosts whose gateway has heard them: a ping to it, or beyond it, was answered.

    Then the VTEP has a neighbour entry of the host, and announces its MAC and IP.
    """
    spoken = set()
    for host, node in fabric.hosts.items():
        answered = {key for key, text in _recorded(fabric, host).items() if _outcome(text)[0]}
        for leg in node.legs:
            if any(vrf == slug(leg.vrf) and _beyond(leg, target) for vrf, target in answered):
                spoken.add(str(leg.address.ip))
    return frozenset(spoken)


def _beyond(leg: Leg, target: IPv4Address) -> bool:
    return target == leg.gateway or target not in leg.address.network
