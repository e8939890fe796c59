"""Single values: text, numbers, truth, with what each must be besides."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar

from labctl.topology.document import Document, Item, Path

T = TypeVar("T")
Schema = dict[str, Any]
_LONGEST_SHOWN = 60


class Misfit(ValueError):
    """What is wrong with a value, and a hint; told by whoever holds the value."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


def show(value: object) -> str:
    """A value as a message names it, short."""
    if value is None:
        return "nothing"
    if isinstance(value, dict | list):
        return "a mapping" if isinstance(value, dict) else "a list"
    if isinstance(value, bool):
        return str(value).lower()
    text = repr(value)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[: _LONGEST_SHOWN - 3]}..."


class Scalar(Generic[T]):
    """A single value, made of what the file holds by `convert`."""

    def __init__(self, convert: Callable[[object], T], schema: Mapping[str, Any]) -> None:
        self._convert = convert
        self._schema = schema

    def read(self, _document: Document, _path: Path, item: Item) -> T:
        """The value, converted."""
        return self._convert(item.value)

    def schema(self, _definitions: dict[str, Schema]) -> Schema:
        """As given."""
        return {**self._schema}


class OneOf:
    """One of a few words."""

    def __init__(self, *words: str) -> None:
        self._words = words

    def read(self, document: Document, _path: Path, item: Item) -> str:
        """The word."""
        if not isinstance(item.value, str) or item.value not in self._words:
            hint = document.suggest(str(item.value), self._words)
            raise Misfit(f"{show(item.value)} is not known here", hint)
        return item.value

    def schema(self, _definitions: dict[str, Schema]) -> Schema:
        """The words."""
        return {"type": "string", "enum": list(self._words)}


def text(check: Callable[[str], T], schema: Mapping[str, Any]) -> Scalar[T]:
    """Text that `check` makes a value of."""

    def convert(value: object) -> T:
        if not isinstance(value, str):
            raise ValueError(f"must be text, not {show(value)}")
        return check(value)

    return Scalar(convert, {"type": "string", **schema})


def any_text(least: int, most: int) -> Scalar[str]:
    """Any text of `least` to `most` characters."""

    def check(value: str) -> str:
        if len(value) < least:
            raise ValueError("must not be empty")
        if len(value) > most:
            raise ValueError(f"must have {most} characters or fewer")
        return value

    return text(check, {"minLength": least, "maxLength": most})


def whole(check: Callable[[int], int], schema: Mapping[str, Any]) -> Scalar[int]:
    """A whole number that `check` lets pass."""

    def convert(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise ValueError(f"must be a whole number, not {show(value)}")
        return check(value)

    return Scalar(convert, {"type": "integer", **schema})


def between(first: int, last: int) -> Scalar[int]:
    """A whole number from `first` to `last`."""

    def check(value: int) -> int:
        if value < first:
            raise ValueError(f"must be {first} or more, not {value}")
        if value > last:
            raise ValueError(f"must be {last} or less, not {value}")
        return value

    return whole(check, {"minimum": first, "maximum": last})


def above_zero(last: int) -> Scalar[float]:
    """A number above zero, `last` at most."""

    def convert(value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError(f"must be a number, not {show(value)}")
        if value <= 0:
            raise ValueError(f"must be more than 0, not {value}")
        if value > last:
            raise ValueError(f"must be {last} or less, not {value}")
        return float(value)

    return Scalar(convert, {"type": "number", "exclusiveMinimum": 0, "maximum": last})


def _truth(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"must be true or false, not {show(value)}")
    return value


YES_OR_NO = Scalar(_truth, {"type": "boolean"})
