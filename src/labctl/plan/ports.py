"""The UDP port table of one hypervisor: which port each end of each link binds. Pure.

QEMU lets two machines bind the same port without a word and crosses their wires, so labctl hands
out ports itself, once for all labs of a hypervisor.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from operator import itemgetter

from labctl.errors import PreflightRefused
from labctl.model.finding import Finding, PreflightReport, Severity
from labctl.model.lab import Endpoint, Link

FIRST_PORT = 10000
LAST_PORT = 60999
EPHEMERAL = 32768
"""Where Linux begins to hand out ports by itself (ip_local_port_range): taken from there last."""


def allocate(
    links: Iterable[Link],
    *,
    lab: str,
    existing: Mapping[Endpoint, int],
    taken: AbstractSet[int],
    first: int = FIRST_PORT,
    last: int = LAST_PORT,
) -> Mapping[Endpoint, int]:
    """The local port of each end of `links`; what one end binds is what the other sends to.

    `existing` holds the ports the lab's ends have now: they are kept unless another's, so that
    adding a link moves no other. `taken` holds ports that are not this lab's. New ports come from
    the digest of lab and link, whatever the order of the links; below EPHEMERAL while there is
    room. Raises PreflightRefused when first..last has too few free ports.
    """
    ends = {end: link for link in links for end in (link.a, link.b)}
    ports: dict[Endpoint, int] = {}
    used = set(taken)
    for end in sorted(existing.keys() & ends.keys(), key=str):
        if existing[end] not in used:
            ports[end] = existing[end]
            used.add(existing[end])
    missing = {end: link for end, link in ends.items() if end not in ports}
    ports.update(_derive(missing, lab, used, first, last))
    return {end: ports[end] for end in ends}


def _derive(
    ends: Mapping[Endpoint, Link], lab: str, used: AbstractSet[int], first: int, last: int
) -> Iterator[tuple[Endpoint, int]]:
    """A port for each of `ends`, none of them in `used` and none twice."""
    border = min(max(EPHEMERAL, first), last + 1)
    tables = [_Table(range(first, border), used), _Table(range(border, last + 1), used)]
    free = sum(table.free for table in tables)
    if free < len(ends):
        raise _refusal(lab, len(ends), free, first, last)
    for seed, end in sorted(
        ((_seed(lab, link, end), end) for end, link in ends.items()), key=itemgetter(0)
    ):
        table = tables[0] if tables[0].free else tables[1]
        yield end, table.take(seed)


class _Table:
    """A range of ports handed out by seed: the first free one from where the seed points.

    `_onward` leads from a port that is gone to a later one, and each search shortens the way for
    the next (union-find), so that the last free ports of a full table cost no more than the first.
    """

    def __init__(self, ports: range, used: AbstractSet[int]) -> None:
        self._ports = ports
        self._onward = {
            port - ports.start: port - ports.start + 1 for port in used if port in ports
        }
        self.free = len(ports) - len(self._onward)

    def take(self, seed: int) -> int:
        """The first free port from where `seed` points; there must be one (`free`)."""
        size = len(self._ports)
        index = self._first_free(seed % size)
        if index == size:
            index = self._first_free(0)
        self._onward[index] = index + 1
        self.free -= 1
        return self._ports[index]

    def _first_free(self, index: int) -> int:
        """The first free index from `index` on; the table's size when there is none."""
        while (following := self._onward.get(index)) is not None:
            self._onward[index] = self._onward.get(following, following)
            index = following
        return index


def _seed(lab: str, link: Link, end: Endpoint) -> int:
    digest = hashlib.sha256(f"{lab}/{link}/{end}".encode()).digest()
    return int.from_bytes(digest[:8], "big")


def _refusal(lab: str, needed: int, free: int, first: int, last: int) -> PreflightRefused:
    finding = Finding(
        "udp ports",
        Severity.REFUSE,
        f"{needed} needed, {free} of {first}-{last} are free on this hypervisor",
        "destroy labs that are no longer needed, or place this one elsewhere",
        evidence={"needed": needed, "free": free, "first": first, "last": last},
    )
    return PreflightRefused(
        f"too few free UDP ports for the links of {lab}",
        report=PreflightReport(lab, uri="", virt_type="", findings=(finding,)),
        details=finding.message,
        resolution=finding.resolution,
    )
