"""Shapes: mappings of fixed keys, each key with its kind, its explanation and its default.

A shape is a class; its instances hold what a file gives. The JSON Schema comes from the same
classes, so that it can't say anything else than what reads the file.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType
from typing import Any, ClassVar, Generic, Self, TypeVar, overload

from labctl.topology.document import Document, Item, Path
from labctl.topology.kinds import (
    Guess,
    Kind,
    OrNothing,
    Unusable,
    WrongForm,
    prefix,
    read_part,
)
from labctl.topology.mend import settle_unknown
from labctl.topology.scalars import Schema, show

T = TypeVar("T")


class _Missing(Enum):
    """The default of a key that must be there."""

    MISSING = "missing"


class Field(Generic[T]):
    """A key: how its value is written, what it means, what stands in for it.

    As an attribute of a shape's instance it is the value, the default where the file gives none.
    """

    def __init__(
        self, kind: Kind[T], meaning: str, default: T | _Missing, guess: Guess = None
    ) -> None:
        self.kind = kind
        self.meaning = meaning
        self.default = default
        self.guess = guess

    @property
    def required(self) -> bool:
        """Whether the key must be there."""
        return self.default is _Missing.MISSING

    @overload
    def __get__(self, shape: None, owner: type[Shape]) -> Self: ...
    @overload
    def __get__(self, shape: Shape, owner: type[Shape]) -> T: ...
    def __get__(self, shape: Shape | None, owner: type[Shape]) -> Self | T:
        # What the file gives is in the instance's own dictionary, and found before this is.
        if shape is None:
            return self
        if isinstance(self.default, _Missing):
            raise AttributeError("a key that must be there is not")
        return self.default

    def schema(self, definitions: dict[str, Schema]) -> Schema:
        """Its kind's, with meaning and default."""
        schema = {**self.kind.schema(definitions), "description": self.meaning}
        if self.default is None or isinstance(self.default, _Missing | Shape):
            return schema  # the meaning tells what "left out" does
        plain = isinstance(self.default, bool | int | float | str)
        return {**schema, "default": self.default if plain else str(self.default)}


def required(kind: Kind[T], meaning: str, guess: Guess = None) -> Field[T]:
    """A key that must be there. Without a guess, the whole shape is of no use without it."""
    return Field(kind, meaning, _Missing.MISSING, guess)


def defaulted(kind: Kind[T], meaning: str, default: T) -> Field[T]:
    """A key that may be left out."""
    return Field(kind, meaning, default)


def optional(kind: Kind[T], meaning: str) -> Field[T | None]:
    """A key that may be left out, or have nothing behind it."""
    return Field[T | None](OrNothing(kind), meaning, None)


class Shape:
    """A mapping of fixed keys; a subclass has a Field for each. The class itself is a Kind."""

    fields: ClassVar[Mapping[str, Field[Any]]]

    def __init_subclass__(cls) -> None:
        cls.fields = {name: field for name, field in vars(cls).items() if isinstance(field, Field)}

    def __init__(self, given: Mapping[str, object] = MappingProxyType({})) -> None:
        self.__dict__.update(given)

    def values(self) -> dict[str, Any]:
        """Every key with its value, given or default."""
        return {name: getattr(self, name) for name in self.fields}

    def gives(self, key: str) -> bool:
        """Whether the file itself has the key."""
        return key in self.__dict__

    @classmethod
    def read(cls, document: Document, path: Path, item: Item) -> Self:
        """What the mapping at `path` gives, less what is of no use."""
        if not isinstance(item.value, dict):
            raise WrongForm(f"must be a mapping of keys to values, not {show(item.value)}")
        renamed = settle_unknown(document, path, item.value, cls.fields)
        given: dict[str, object] = {}
        lacks = False
        for key, field in cls.fields.items():
            try:
                if key in item.value:
                    certain = key not in renamed
                    given[key] = _read(document, (*path, key), item.value, field, certain)
                elif field.required:
                    given[key] = _guess(document, (*path, key), item, field)
            except Unusable:
                lacks = lacks or field.required
        if lacks:
            raise Unusable
        return cls(given)

    @classmethod
    def schema(cls, definitions: dict[str, Schema]) -> Schema:
        """A reference to the shape's definition, which is added if need be."""
        if cls.__name__ not in definitions:
            definitions[cls.__name__] = cls.definition(definitions)
        return {"$ref": f"#/$defs/{cls.__name__}"}

    @classmethod
    def definition(cls, definitions: dict[str, Schema]) -> Schema:
        """All keys with what they take."""
        from inspect import cleandoc  # not above: reading a file needs none of it

        needed = [key for key, field in cls.fields.items() if field.required]
        return {
            "type": "object",
            "description": cleandoc(cls.__doc__ or ""),
            "properties": {key: field.schema(definitions) for key, field in cls.fields.items()},
            **({"required": needed} if needed else {}),
            "additionalProperties": False,
        }


def _read(
    document: Document,
    path: Path,
    mapping: dict[str, tuple[int, Item]],
    field: Field[T],
    certain: bool,
) -> T:
    """The value of the last key of `path`, which `mapping` has."""
    key = str(path[-1])
    index, item = mapping[key]
    try:
        value, kept = read_part(field.kind, document, path, item, field.guess, certain=certain)
    except Unusable:
        del mapping[key]
        raise
    mapping[key] = (index, kept)
    return value


def _guess(document: Document, path: Path, parent: Item, field: Field[T]) -> T:
    """What stands in for a key that is missing."""
    above, key = path[:-1], str(path[-1])
    document.report(above, f"{prefix(above)}{key!r} is missing", key=True)
    if field.guess is None or not isinstance(parent.value, dict):
        raise Unusable
    item = Item(parent.index, field.guess, is_guess=True)
    parent.value[key] = (parent.index, item)
    return field.kind.read(document, path, item)
