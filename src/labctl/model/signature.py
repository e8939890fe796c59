"""Signatures: text in an image's files that tells what happened to it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import NamedTuple

from labctl.model.text import printable


class Severity(StrEnum):
    """How much a finding matters."""

    NOTE = "note"
    WARN = "warn"
    BAD = "bad"


class Implies(StrEnum):
    """What a finding says of the image it was found in."""

    NOTHING = "nothing"
    USED = "used"
    """A machine ran on it: what was found is written by a running system."""
    MODIFIED = "modified"
    """Somebody changed it: no system writes this by itself."""


class Signature(NamedTuple):
    """Text to look for in the files whose path matches one of `globs`."""

    id: str
    globs: tuple[str, ...]
    pattern: re.Pattern[str]
    severity: Severity
    implies: Implies
    explanation: str
    source: str


class NeverEmpty(NamedTuple):
    """Files that a healthy system has something in."""

    id: str
    globs: tuple[str, ...]
    severity: Severity
    implies: Implies
    explanation: str
    source: str


class Signatures(NamedTuple):
    """All that is looked for in an image's files."""

    texts: tuple[Signature, ...] = ()
    never_empty: tuple[NeverEmpty, ...] = ()

    def concern(self, path: str) -> bool:
        """Whether the file `path` (from the root of its file system) is one to read."""
        return any(fits(path, rule.globs) for rule in self.texts)


class Match(NamedTuple):
    """A signature found: in which file, on which line (from 1; 0 for the whole file)."""

    id: str
    severity: Severity
    implies: Implies
    file_system: str
    path: str
    line: int
    text: str
    explanation: str
    source: str


_LONGEST_TEXT = 200
_LONGEST_LINE = 4096
"""Binary files have lines of any length, and patterns that look back and forth on each."""


def fits(path: str, globs: Sequence[str]) -> bool:
    """Whether `path` matches a glob, in any letter case; `*` takes slashes too."""
    lowered = path.lower()
    return any(fnmatchcase(lowered, glob.lower()) for glob in globs)


def matches(
    signatures: Signatures, file_system: str, path: str, text: str, *, most: int
) -> Iterator[Match]:
    """The signatures found in a file's text: each on its first `most` lines only."""
    rules = [rule for rule in signatures.texts if fits(path, rule.globs)]
    seen: dict[str, int] = {}
    for number, whole in enumerate(text.split("\n"), start=1):
        line = whole[:_LONGEST_LINE]
        for rule in rules:
            if seen.get(rule.id, 0) < most and rule.pattern.search(line):
                seen[rule.id] = seen.get(rule.id, 0) + 1
                told = (rule.explanation, rule.source)
                found = (rule.id, rule.severity, rule.implies, file_system, path)
                yield Match(*found, number, printable(line.strip()[:_LONGEST_TEXT]), *told)


def emptied(signatures: Signatures, file_system: str, path: str) -> Iterator[Match]:
    """What it says that the file `path` is empty."""
    for rule in signatures.never_empty:
        if fits(path, rule.globs):
            found = (rule.id, rule.severity, rule.implies, file_system, path)
            yield Match(*found, 0, "the file is empty", rule.explanation, rule.source)
