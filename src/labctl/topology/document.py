"""YAML text -> plain values that remember where they stood, read without trusting the text.

Built from libyaml's events, not from PyYAML's constructors: no tag makes an object, plain
scalars follow YAML 1.2 (`on` is text, `10:20` is text, `010` is no octal), keys are text, a key
given twice is a problem, and depth, size and aliases are bounded, so that a "billion laughs"
file is refused instead of expanded.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

import yaml

from labctl.errors import Problem
from labctl.topology.suggest import suggest

MAX_CHARACTERS = 8 * 1024 * 1024
"""Largest text read; 16 spines x 984 leaves with every link written out is under 1 MiB."""
MAX_VALUES = 1_000_000
"""Most values a file may hold after its aliases are expanded."""
MAX_DEPTH = 20
"""Deepest nesting; the format itself needs 7 levels."""
MOST_HINTS = 100
"""Most names a run looks for the nearest of; among 1000 nodes each look takes milliseconds."""

Value: TypeAlias = bool | int | float | str | list["Value"] | dict[str, "Value"] | None
Path = tuple[str | int, ...]

_INT = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,17})")
_FLOAT = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,17})\.[0-9]{1,18}")
_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff]")
_UNPRINTABLE = re.compile(
    "[^\x09\x0a\x0d\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)
"""What YAML forbids; its readers give the place in bytes or not at all."""
_BREAK = re.compile(r"\r\n|\n|\r")
_LOADER = getattr(yaml, "CLoader", yaml.Loader)


@dataclass(slots=True)
class Item:
    """A value with its place: `index` counts characters from the start of the text.

    `is_guess` where it stands in for one that is wrong, which has been reported.
    """

    index: int
    value: bool | int | float | str | list[Item] | dict[str, tuple[int, Item]] | None
    is_guess: bool = False

    def child(self, step: str | int) -> Item | None:
        """The value below a key or index, if there is one."""
        if isinstance(self.value, dict) and step in self.value:
            return self.value[str(step)][1]
        if isinstance(self.value, list) and isinstance(step, int) and step < len(self.value):
            return self.value[step]
        return None

    def plain(self) -> Value:
        """The value without places."""
        if isinstance(self.value, dict):
            return {key: item.plain() for key, (_, item) in self.value.items()}
        if isinstance(self.value, list):
            return [item.plain() for item in self.value]
        return self.value


@dataclass(slots=True)
class Document:
    """A parsed file and the problems found so far, in it and by whoever checks it.

    `dropped` are the paths of wrong values that were left out, as they were at that time.
    """

    source: str
    text: str
    root: Item = field(default_factory=lambda: Item(0, None))
    problems: list[Problem] = field(default_factory=list)
    dropped: set[Path] = field(default_factory=set)
    _starts: list[int] = field(default_factory=list)
    _suggested: int = 0

    def report(self, path: Path, message: str, hint: str = "", *, key: bool = False) -> None:
        """Note a problem at `path` (at its key instead of its value where `key`).

        A path that isn't there counts as its nearest parent that is. Nothing is noted of a
        guess: what is wrong there is noted already.
        """
        if not self.is_guess(path):
            self.report_index(self._index(path, key), message, hint)

    def report_index(self, index: int, message: str, hint: str = "") -> None:
        """Note a problem at a character of the text."""
        line, column = self._place(index)
        problem = Problem(self.source, line, column, message, hint)
        if problem not in self.problems[-1:]:
            self.problems.append(problem)

    def suggest(self, word: str, choices: Iterable[str]) -> str:
        """A hint at the choice nearest to `word`; none after MOST_HINTS, as each costs a search."""
        self._suggested += 1
        return suggest(word, choices) if self._suggested <= MOST_HINTS else ""

    def remove(self, paths: Iterable[Path]) -> None:
        """Drop the values at `paths`, so that the rest can be checked without them."""
        for path in sorted(paths, key=lambda path: [str(step).zfill(9) for step in path])[::-1]:
            item, last = self.at(path[:-1]) or Item(0, None), path[-1]
            if isinstance(item.value, dict):
                item.value.pop(str(last), None)
            elif isinstance(item.value, list) and isinstance(last, int):
                del item.value[last : last + 1]  # an alias may have had it removed already

    def at(self, path: Path) -> Item | None:
        """The item at `path`, if there is one."""
        item: Item | None = self.root
        for step in path:
            item = item and item.child(step)
        return item

    def is_guess(self, path: Path) -> bool:
        """Whether the value at `path` stands in for a wrong one."""
        return (item := self.at(path)) is not None and item.is_guess

    def lost(self, path: Path) -> bool:
        """Whether the value at `path`, or one that it is part of, was wrong and left out."""
        return any(path[:depth] in self.dropped for depth in range(1, len(path) + 1))

    def where(self, path: Path) -> str:
        """`line N`, for messages that point to a second place."""
        return f"line {self._place(self._index(path, key=True))[0]}"

    def _index(self, path: Path, key: bool) -> int:
        item, index = self.root, self.root.index
        for step in path:
            if (child := item.child(step)) is None:
                break
            index = child.index
            if key and isinstance(item.value, dict):
                index = item.value[str(step)][0]
            item = child
        return index

    def _place(self, index: int) -> tuple[int, int]:
        """Line and column, from 1; the end of the text counts as its last line."""
        if not self._starts:
            self._starts = [0, *(found.end() for found in _BREAK.finditer(self.text))]
            if len(self._starts) > 1 and self._starts[-1] == len(self.text):
                self._starts.pop()
        line = bisect_right(self._starts, index)
        return line, index - self._starts[line - 1] + 1


def parse(text: str, source: str) -> Document:
    """Read `text`; what is wrong with it as YAML is in the document's problems."""
    document = Document(source, text.removeprefix("\ufeff"))
    if len(text) > MAX_CHARACTERS:
        document.report((), f"the file is larger than {MAX_CHARACTERS // 1024**2} MiB")
        return document
    try:
        document.root = _Builder(document).build()
    except _Refused as refused:
        document.report_index(refused.index, str(refused))
    except (UnicodeEncodeError, yaml.reader.ReaderError):
        found = _UNPRINTABLE.search(document.text)
        index = found.start() if found else 0
        message = f"U+{ord(document.text[index]):04X} is no character of a text"
        document.report_index(index, message)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        words = ", ".join(filter(None, (error.context, error.problem)))
        document.report_index(mark.index if mark else 0, f"not valid YAML: {words}")
    return document


class _Refused(Exception):
    """The text is valid YAML but must not be read further."""

    def __init__(self, index: int, message: str) -> None:
        super().__init__(message)
        self.index = index


class _Builder:
    """Turns events into items. One use."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._anchors: dict[str, tuple[Item, int]] = {}
        self._count = 0
        self._events: Iterator[yaml.Event] = yaml.parse(document.text, Loader=_LOADER)

    def build(self) -> Item:
        root: Item | None = None
        for event in self._events:
            if not isinstance(event, yaml.DocumentStartEvent):
                continue
            if root is not None:
                raise _Refused(_index(event), "a second document; one file is one lab")
            root = self._item(next(self._events), 0)
        return root or Item(0, None)

    def _item(self, event: yaml.Event, depth: int) -> Item:
        index = _index(event)
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event, index)
        assert isinstance(event, yaml.NodeEvent)
        if depth > MAX_DEPTH:
            raise _Refused(index, f"nested more than {MAX_DEPTH} levels deep")
        if (tag := getattr(event, "tag", None)) is not None:
            self._document.report_index(index, f"tag {tag!r} is not part of this format")
        before = self._count
        self._spend(1, index)
        item = Item(index, None)
        if isinstance(event, yaml.ScalarEvent):
            item.value = _scalar(event)
            if (at := _control(event.value)) is not None:
                message = f"control character {event.value[at]!r} in a value"
                self._document.report_index(index, message)
        elif isinstance(event, yaml.SequenceStartEvent):
            item.value = self._sequence(depth)
        else:
            item.value = self._mapping(depth)
        if event.anchor is not None:
            self._anchors[event.anchor] = (item, self._count - before)
        return item

    def _alias(self, event: yaml.AliasEvent, index: int) -> Item:
        if event.anchor not in self._anchors:
            raise _Refused(index, f"alias *{event.anchor} has no anchor before it")
        item, size = self._anchors[event.anchor]
        self._spend(size, index)
        return item

    def _spend(self, values: int, index: int) -> None:
        self._count += values
        if self._count > MAX_VALUES:
            raise _Refused(index, f"more than {MAX_VALUES} values once aliases are expanded")

    def _sequence(self, depth: int) -> list[Item]:
        items = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            items.append(self._item(event, depth + 1))
        return items

    def _mapping(self, depth: int) -> dict[str, tuple[int, Item]]:
        items: dict[str, tuple[int, Item]] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            index = _index(event)
            key = self._key(event, depth)
            item = self._item(next(self._events), depth + 1)
            if key is None:
                self._document.report_index(index, "a key must be plain text")
            elif key in items:
                hint = f"first given in {self._line(items[key][0])}"
                self._document.report_index(index, f"key {key!r} is given twice", hint)
            else:
                items[key] = (index, item)
        return items

    def _key(self, event: yaml.Event, depth: int) -> str | None:
        if isinstance(event, yaml.ScalarEvent) and event.tag is None:
            return str(event.value)
        self._item(event, depth + 1)
        return None

    def _line(self, index: int) -> str:
        return f"line {self._document._place(index)[0]}"


def _index(event: yaml.Event) -> int:
    """Where the event starts; every event of a stream has a mark."""
    return event.start_mark.index if event.start_mark else 0


def _control(text: str) -> int | None:
    """Where `text` (which may hold escapes such as \\0) has a control character, or None."""
    found = CONTROL.search(text)
    return found.start() if found else None


def _scalar(event: yaml.ScalarEvent) -> bool | int | float | str | None:
    """The value of a scalar by YAML 1.2's core schema, less octal, hexadecimal, inf and nan."""
    text = str(event.value)
    if not event.implicit[0]:
        return text
    if text in _WORDS:
        return _WORDS[text]
    if _INT.fullmatch(text):
        return int(text)
    return float(text) if _FLOAT.fullmatch(text) else text
