"""A YAML file's values that remember where they stood, and the problems found with them."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TypeAlias

from labctl.errors import Problem
from labctl.topology.suggest import nearest, suggest

MOST_HINTS = 100
"""Most names a run looks for the nearest of; among 1000 nodes each look takes milliseconds."""

Value: TypeAlias = bool | int | float | str | list["Value"] | dict[str, "Value"] | None
Path = tuple[str | int, ...]

CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff]")
_BREAK = re.compile(r"\r\n|\n|\r")


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

    def nearest(self, word: str, choices: Iterable[str]) -> str | None:
        """The choice nearest to `word`; none after MOST_HINTS either."""
        self._suggested += 1
        return nearest(word, choices) if self._suggested <= MOST_HINTS else None

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
        return self.line_of(self._index(path, key=True))

    def line_of(self, index: int) -> str:
        """`line N`, for a character of the text."""
        return f"line {self._place(index)[0]}"

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
