"""Announcements between stand-ins: each floods its own, and passes on what is news to it."""

from __future__ import annotations

import json
import math
import struct
import time
import zlib
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from standin.player.fabric import Member
from standin.player.machine import ETHERTYPE
from standin.player.speaker import Port, Route, Session, Speaker, Vni

INTERVAL = 2.0  # seconds between announcements
HEARD_FOR = 3.2 * INTERVAL  # a neighbour that says nothing for so long is gone
KNOWN_FOR = 8 * INTERVAL  # and so is a switch far away
_PIECE = 1400  # bytes of an announcement in one frame: fits any MTU
_HEADER = struct.Struct("!6s6sH4sQBB")  # to, from, ethertype, magic, number, piece, pieces
_MAGIC = b"STND"


@dataclass(frozen=True)
class Announcement:
    """What one switch says of itself, as it came over a wire."""

    origin: str
    number: int  # grows with each, also over reboots
    member: Member


def pack(announcement: Announcement, via: str, port: str) -> bytes:
    """The body of a message: the announcement, and the hands it comes from."""
    member = announcement.member
    body = {
        "origin": announcement.origin, "number": announcement.number, "via": via, "port": port,
        "heard": member.heard, "speaker": asdict(member.speaker),
    }  # fmt: skip
    return zlib.compress(json.dumps(body, separators=(",", ":")).encode(), 1)


def unpack(data: bytes) -> tuple[Announcement, str, str]:
    """The announcement, who sent it, and by which of his ports."""
    body: dict[str, Any] = json.loads(zlib.decompress(data))
    heard = {port: (pair[0], pair[1]) for port, pair in body["heard"].items()}
    member = Member(_speaker(body["speaker"]), heard)
    return Announcement(body["origin"], body["number"], member), body["via"], body["port"]


def _speaker(fields: Mapping[str, Any]) -> Speaker:
    routes = (Route(**{**r, "targets": tuple(r["targets"])}) for r in fields["routes"])
    vnis = (
        Vni(**{**v, "imports": tuple(v["imports"]), "exports": tuple(v["exports"])})
        for v in fields["vnis"]
    )
    lists = {
        "addresses": tuple(fields["addresses"]),
        "ports": tuple(Port(**port) for port in fields["ports"]),
        "sessions": tuple(Session(**session) for session in fields["sessions"]),
        "routes": tuple(routes),
        "vnis": tuple(vnis),
    }
    return Speaker(**{**fields, **lists})


class Flood:
    """The database of announcements of one switch. Pure but for the two calls it is given."""

    def __init__(
        self,
        me: str,
        send: Callable[[str, bytes], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._me, self._send, self._clock = me, send, clock
        self._known: dict[str, tuple[float, Announcement]] = {}
        self._heard: dict[str, tuple[float, str, str]] = {}

    def announce(self, speaker: Speaker, number: int, ports: tuple[str, ...]) -> None:
        """Say on these ports, which are the ones that are up, what I am and whom I hear."""
        now = self._clock()
        self._heard = {
            port: heard
            for port, heard in self._heard.items()
            if port in ports and now - heard[0] <= HEARD_FOR
        }
        heard = {port: (who, far) for port, (_, who, far) in self._heard.items()}
        own = Announcement(self._me, number, Member(speaker, heard))
        self._known[self._me] = (now, own)
        for port in ports:
            self._send(port, pack(own, self._me, port))

    def receive(self, port: str, data: bytes, ports: tuple[str, ...]) -> None:
        """Take in what came on a port, and pass it on where it is news."""
        announcement, via, far = unpack(data)
        now = self._clock()
        if announcement.origin == self._me or port not in ports:
            return
        if via == announcement.origin:
            self._heard[port] = (now, via, far)
        at, known = self._known.get(announcement.origin, (-math.inf, announcement))
        # What is too old to count keeps nobody out: a machine may have gone back in time.
        if known.number >= announcement.number and now - at <= KNOWN_FOR:
            return
        self._known[announcement.origin] = (now, announcement)
        for other in ports:
            if other != port:
                self._send(other, pack(announcement, self._me, other))

    def members(self) -> dict[str, Member]:
        """All switches heard of lately, oneself included."""
        now = self._clock()
        known = self._known.items()
        return {who: told.member for who, (at, told) in known if now - at <= KNOWN_FOR}


def frames(source: bytes, number: int, data: bytes) -> list[bytes]:
    """Ethernet frames for a message."""
    pieces = [data[at : at + _PIECE] for at in range(0, len(data), _PIECE)]
    return [
        _HEADER.pack(b"\xff" * 6, source, ETHERTYPE, _MAGIC, number, n, len(pieces))
        + struct.pack("!H", len(piece))  # short frames are padded on the way
        + piece
        for n, piece in enumerate(pieces)
    ]


class Assembler:
    """Messages out of frames; what is incomplete when the next begins is dropped."""

    def __init__(self) -> None:
        self._number = -1
        self._pieces: dict[int, bytes] = {}

    def take(self, frame: bytes) -> bytes | None:
        """The message that this frame completes."""
        if len(frame) < _HEADER.size + 2:
            return None
        _, _, kind, magic, number, piece, pieces = _HEADER.unpack_from(frame)
        if (kind, magic) != (ETHERTYPE, _MAGIC):
            return None
        if number != self._number:
            self._number, self._pieces = number, {}
        (size,) = struct.unpack_from("!H", frame, _HEADER.size)
        self._pieces[piece] = frame[_HEADER.size + 2 :][:size]
        if len(self._pieces) < pieces:
            return None
        return b"".join(self._pieces[n] for n in range(pieces))
