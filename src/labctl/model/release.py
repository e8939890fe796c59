"""An NX-OS release: Cisco's form, the dotted form of file names, and which of two is newer.

7.0(3)I7(4) is written 7.0.3.I7.4 in file names; 9.3(13) is 9.3.13; 10.5(5)M is 10.5.5.M
(Cisco's file names as kept by gns3-registry; F and M: "Feature" and "Maintenance" releases since
10.2).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import total_ordering

_CISCO = re.compile(
    r"(?P<major>\d+)\.(?P<minor>\d+)\((?P<maintenance>\d+)(?P<letter>[a-z]?)\)"
    r"(?:(?P<train>[ID])(?P<train_number>\d+)(?:\((?P<rebuild>\d+)(?P<rebuild_letter>[a-z]?)\))?"
    r"|(?P<kind>[FM]))?"
)
_NUMBERS = ("major", "minor", "maintenance", "train_number", "rebuild")
_WORDS = ("letter", "train", "rebuild_letter", "kind")


@total_ordering
@dataclass(frozen=True, slots=True)
class Release:
    """7.0(3)I7(4): major 7, minor 0, maintenance 3, train I, train_number 7, rebuild 4.

    `train` is "" since 9.2; `kind` is F or M since 10.2 and "" before, or where it isn't told.
    """

    major: int
    minor: int
    maintenance: int
    letter: str = ""
    train: str = ""
    train_number: int = 0
    rebuild: int = 0
    rebuild_letter: str = ""
    kind: str = ""

    def __str__(self) -> str:
        """Cisco's form."""
        text = f"{self.major}.{self.minor}({self.maintenance}{self.letter})"
        if self.train:
            text += f"{self.train}{self.train_number}"
            text += f"({self.rebuild}{self.rebuild_letter})" if self.rebuild else ""
        return text + self.kind

    @property
    def dotted(self) -> str:
        """The form in file names."""
        text = f"{self.major}.{self.minor}.{self.maintenance}{self.letter}"
        if self.train:
            text += f".{self.train}{self.train_number}"
            text += f".{self.rebuild}{self.rebuild_letter}" if self.rebuild else ""
        return text + (f".{self.kind}" if self.kind else "")

    @property
    def age(self) -> tuple[int, int, int, str, int, int, str]:
        """What orders releases; the kind does not count (`show version` leaves it out)."""
        return (
            self.major,
            self.minor,
            self.maintenance,
            self.letter,
            self.train_number,
            self.rebuild,
            self.rebuild_letter,
        )

    def __lt__(self, other: object) -> bool:
        return isinstance(other, Release) and self.age < other.age

    def within(self, first: Release | None, last: Release | None) -> bool:
        """From `first` to `last`; what `last` leaves out (7.0(3)I7, 10.5) holds for all of it."""
        if first is not None and self.age < first.age:
            return False
        return last is None or _leading(self, last) <= _leading(last, last)


def _leading(release: Release, like: Release) -> tuple[object, ...]:
    """As much of a release's age as `like` gives."""
    if like.rebuild:
        count = 7
    elif like.train:
        count = 5
    elif like.maintenance:
        count = 4
    else:
        count = 2
    return release.age[:count]


def parse_release(text: str) -> Release:
    """From Cisco's form, or a line of releases (10.5, 7.0(3)I7). Raises ValueError for others."""
    if short := re.fullmatch(r"(\d+)\.(\d+)", text):
        return Release(int(short[1]), int(short[2]), 0)
    found = _CISCO.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is no NX-OS release like 7.0(3)I7(4), 9.3(13) or 10.5(5)M")
    number = {name: int(found[name] or 0) for name in _NUMBERS}
    word = {name: found[name] or "" for name in _WORDS}
    return Release(**number, **word)  # type: ignore[arg-type]  # mypy: one type for all of **
