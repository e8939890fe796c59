"""YAML text -> plain values that remember where they stood, read without trusting the text.

Built from libyaml's events, not from PyYAML's constructors: no tag makes an object, plain
scalars follow YAML 1.2 (`on` is text, `10:20` is text, `010` is no octal), keys are text, a key
given twice is a problem, and depth, size and aliases are bounded, so that a "billion laughs"
file is refused instead of expanded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import yaml

from labctl.topology.document import CONTROL, Document, Item

MAX_CHARACTERS = 8 * 1024 * 1024
"""Largest text read; 16 spines x 984 leaves with every link written out is under 1 MiB."""
MAX_VALUES = 1_000_000
"""Most values a file may hold after its aliases are expanded."""
MAX_DEPTH = 20
"""Deepest nesting; the format itself needs 7 levels."""

_INT = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,17})")
_FLOAT = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,17})\.[0-9]{1,18}")
_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_UNPRINTABLE = (
    "[^\x09\x0a\x0d\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)
"""What YAML forbids; its readers give the place in bytes or not at all. Slow to compile."""
_LOADER = getattr(yaml, "CLoader", yaml.Loader)


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
        found = re.search(_UNPRINTABLE, document.text)
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
        again: dict[str, list[Item]] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            index = _index(event)
            key = self._key(event, depth)
            item = self._item(next(self._events), depth + 1)
            if key is None:
                self._document.report_index(index, "a key must be plain text")
            elif key in items:
                hint = f"first given in {self._document.line_of(items[key][0])}"
                self._document.report_index(index, f"key {key!r} is given twice", hint)
                again.setdefault(key, []).append(item)
            else:
                items[key] = (index, item)
        for key, more in again.items():
            items[key] = (items[key][0], _merged([items[key][1], *more]))
        return items

    def _key(self, event: yaml.Event, depth: int) -> str | None:
        if isinstance(event, yaml.ScalarEvent) and event.tag is None:
            return str(event.value)
        self._item(event, depth + 1)
        return None


def _merged(items: list[Item]) -> Item:
    """The values of a key given several times as one, so that all of them are checked."""
    first = items[0]
    if len(items) > 1 and isinstance(first.value, list):
        lists = [item.value for item in items if isinstance(item.value, list)]
        return Item(first.index, [entry for entries in lists for entry in entries])
    if len(items) == 1 or not isinstance(first.value, dict):
        return first
    below: dict[str, list[tuple[int, Item]]] = {}
    for item in items:
        for key, entry in item.value.items() if isinstance(item.value, dict) else ():
            below.setdefault(key, []).append(entry)
    merged = {
        key: (entries[0][0], _merged([item for _, item in entries]))
        for key, entries in below.items()
    }
    return Item(first.index, dict(merged))


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
