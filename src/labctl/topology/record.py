"""Mappings of fixed keys in labctl's own data: every problem at once, none mended."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from labctl.topology.document import Document, Item, Path
from labctl.topology.suggest import suggest

Reader = Callable[[Document, Path, Item], Any]
"""Turns an item into a value; ValueError says what is wrong with it."""
Fields = Mapping[str, Reader]


def read_record(
    document: Document,
    path: Path,
    item: Item,
    fields: Fields,
    defaults: Mapping[str, Any] = MappingProxyType({}),
) -> dict[str, Any]:
    """The mapping at `path`, every field read; misfits become problems and are left out.

    Fields with a default may be missing.
    """
    if not isinstance(item.value, dict):
        raise ValueError("must be a mapping of keys to values")
    for name in item.value:
        if name not in fields:
            hint = suggest(name, fields)
            document.report((*path, name), f"unknown key {name!r}", hint, key=True)
    values = {}
    for name, reader in fields.items():
        if (child := item.child(name)) is None:
            if name in defaults:
                values[name] = defaults[name]
                continue
            document.report(path, f"{name!r} is missing")
            continue
        try:
            values[name] = reader(document, (*path, name), child)
        except ValueError as error:
            document.report((*path, name), f"{name}: {error}")
    return values


def read_list(reader: Reader) -> Reader:
    """A list of what `reader` reads."""

    def read(document: Document, path: Path, item: Item) -> tuple[Any, ...]:
        if not isinstance(item.value, list):
            raise ValueError("must be a list")
        values = []
        for index, child in enumerate(item.value):
            try:
                values.append(reader(document, (*path, index), child))
            except ValueError as error:
                document.report((*path, index), str(error))
        return tuple(values)

    return read


def read_mapping(fields: Fields, defaults: Mapping[str, Any] = MappingProxyType({})) -> Reader:
    """A mapping of fixed keys, as a dict."""
    return lambda document, path, item: read_record(document, path, item, fields, defaults)


def read_scalar(convert: Callable[[Any], Any]) -> Reader:
    """One value, through `convert`."""
    return lambda _document, _path, item: convert(item.value)
