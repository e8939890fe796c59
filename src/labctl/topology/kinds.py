"""Kinds of values in a file: each reads a value, and tells editors the same as JSON Schema.

What is wrong goes into the document's problems, all of it, and what can't be used is taken out
of the document, so that the rest can be checked without it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Generic, Protocol, TypeVar

from labctl.topology.document import Document, Item, Path
from labctl.topology.scalars import Misfit, Schema, show

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
KeyT = TypeVar("KeyT", bound=str)
PlainT = TypeVar("PlainT")
MappingT = TypeVar("MappingT")
Guess = str | int | None
"""What stands in for a value that is needed and wrong; nothing is reported of it."""


class WrongForm(Misfit):
    """Something else where a list or a mapping must be."""


class Unusable(Exception):
    """A value is of no use; what is wrong with it has been told."""


class Kind(Protocol[T_co]):
    """How a value is written."""

    def read(self, document: Document, path: Path, item: Item) -> T_co:
        """The value. Raises ValueError saying what is wrong, Unusable where that has been told."""
        ...

    def schema(self, definitions: dict[str, Schema]) -> Schema:
        """The same for editors; shapes add themselves to `definitions`."""
        ...


def read_part(
    kind: Kind[T],
    document: Document,
    path: Path,
    item: Item,
    guess: Guess = None,
    *,
    certain: bool = True,
) -> tuple[T, Item]:
    """What the item at `path` says, and the item to keep: itself, or a guess in its place.

    Raises Unusable when it is wrong and there is no guess. What is wrong has been told either way,
    but for a value of another form that need not be meant for this (`certain` is False).
    """
    try:
        return kind.read(document, path, item), item
    except WrongForm as error:
        if certain:
            tell(document, path, error)
    except ValueError as error:
        tell(document, path, error)
    except Unusable:
        pass
    if guess is None:
        document.dropped.add(path)
        raise Unusable
    stand_in = Item(item.index, guess, is_guess=True)
    return kind.read(document, path, stand_in), stand_in


def tell(document: Document, path: Path, error: ValueError) -> None:
    """Report what is wrong with the value at `path`, with the name of its key."""
    hint = error.hint if isinstance(error, Misfit) else ""
    document.report(path, f"{prefix(path)}{error}", hint)


def prefix(path: Path) -> str:
    """`KEY: ` for the value of a key, nothing for an entry of a list."""
    return f"{path[-1]}: " if path and isinstance(path[-1], str) else ""


class OrNothing(Generic[T]):
    """A value, or none after its key."""

    def __init__(self, kind: Kind[T]) -> None:
        self._kind = kind

    def read(self, document: Document, path: Path, item: Item) -> T | None:
        """The value, if there is one."""
        return None if item.value is None else self._kind.read(document, path, item)

    def schema(self, definitions: dict[str, Schema]) -> Schema:
        """The value's, or null."""
        return {"anyOf": [self._kind.schema(definitions), {"type": "null"}]}


class PlainOrMapping(Generic[PlainT, MappingT]):
    """A plain value for short, or a mapping to say more."""

    def __init__(self, plain: Kind[PlainT], mapping: Kind[MappingT]) -> None:
        self._plain = plain
        self._mapping = mapping

    def read(self, document: Document, path: Path, item: Item) -> PlainT | MappingT:
        """Whichever it is."""
        if isinstance(item.value, dict):
            return self._mapping.read(document, path, item)
        return self._plain.read(document, path, item)

    def schema(self, definitions: dict[str, Schema]) -> Schema:
        """Either."""
        return {"oneOf": [self._plain.schema(definitions), self._mapping.schema(definitions)]}


class ListOf(Generic[T]):
    """A list, of `length` entries if that is given; `guess` stands in for wrong entries."""

    def __init__(self, entry: Kind[T], *, length: int | None = None, guess: Guess = None) -> None:
        self._entry = entry
        self._length = length
        self._guess = guess

    def read(self, document: Document, path: Path, item: Item) -> Sequence[T]:
        """All entries that are of use."""
        if not isinstance(item.value, list):
            raise WrongForm(f"must be a list, not {show(item.value)}")
        count, values, kept = len(item.value), [], []
        for index, entry in enumerate(item.value):
            try:
                value, left = read_part(self._entry, document, (*path, index), entry, self._guess)
            except Unusable:
                continue
            values.append(value)
            kept.append(left)
        item.value[:] = kept
        if self._length is not None and count != self._length:
            word = "more" if count < self._length else "fewer"
            raise Misfit(f"must have {self._length} entries or {word}")
        return values

    def schema(self, definitions: dict[str, Schema]) -> Schema:
        """The entries', and how many."""
        length = {"minItems": self._length, "maxItems": self._length} if self._length else {}
        return {"type": "array", "items": self._entry.schema(definitions), **length}


class MappingOf(Generic[KeyT, T]):
    """A mapping of names that the user chooses."""

    def __init__(self, key: Kind[KeyT], value: Kind[T]) -> None:
        self._key = key
        self._value = value

    def read(self, document: Document, path: Path, item: Item) -> Mapping[KeyT, T]:
        """All entries whose name and value are of use."""
        if not isinstance(item.value, dict):
            raise WrongForm(f"must be a mapping of keys to values, not {show(item.value)}")
        values: dict[KeyT, T] = {}
        for name, (index, child) in list(item.value.items()):
            key = self._read_key(document, (*path, name), Item(index, name))
            try:
                value, _ = read_part(self._value, document, (*path, name), child)
            except Unusable:
                del item.value[name]
                continue
            if key is None:
                del item.value[name]
            else:
                values[key] = value
        return values

    def _read_key(self, document: Document, path: Path, key: Item) -> KeyT | None:
        try:
            return self._key.read(document, path, key)
        except ValueError as error:
            document.report(path, str(error), key=True)
            document.dropped.add(path)
            return None

    def schema(self, definitions: dict[str, Schema]) -> Schema:
        """What names and values look like."""
        pattern = self._key.schema(definitions)["pattern"]
        return {
            "type": "object",
            "patternProperties": {pattern: self._value.schema(definitions)},
            "additionalProperties": False,
        }
