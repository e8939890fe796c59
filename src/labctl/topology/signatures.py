"""Signatures from lab/signatures.yaml, checked as they are read."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

from labctl.errors import TopologyError
from labctl.model.signature import Implies, NeverEmpty, Severity, Signature, Signatures
from labctl.topology.document import Document
from labctl.topology.reader import parse
from labctl.topology.record import read_list, read_mapping, read_record, read_scalar

SIGNATURES = Path(__file__).parent.parent / "lab" / "signatures.yaml"
_ID = r"[a-z0-9][a-z0-9-]{0,63}"
_Word = TypeVar("_Word", bound=StrEnum)


def _text(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError("must be text")
    return value.strip()


def _id(value: object) -> str:
    if not re.fullmatch(_ID, text := _text(value)):
        raise ValueError(f"{text!r} is no id: a-z, 0-9 and '-', 64 at most")
    return text


def _glob(value: object) -> str:
    if (text := _text(value)).startswith("/"):
        raise ValueError(f"{text!r}: paths are from the root of a file system, without a slash")
    return text


def _pattern(value: object) -> re.Pattern[str]:
    try:
        return re.compile(_text(value))
    except re.error as error:
        raise ValueError(f"{value!r} is no regular expression: {error}") from None


def _one_of(words: type[_Word]) -> Callable[[object], _Word]:
    def convert(value: object) -> _Word:
        try:
            return words(_text(value))
        except ValueError:
            raise ValueError(f"must be one of {', '.join(words)}") from None

    return convert


_COMMON = {
    "id": read_scalar(_id),
    "globs": read_list(read_scalar(_glob)),
    "severity": read_scalar(_one_of(Severity)),
    "implies": read_scalar(_one_of(Implies)),
    "explanation": read_scalar(_text),
    "source": read_scalar(_text),
}
_FILE = {
    "texts": read_list(read_mapping({**_COMMON, "regex": read_scalar(_pattern)})),
    "must_not_be_empty": read_list(read_mapping(_COMMON)),
}


def load_signatures(path: Path = SIGNATURES) -> Signatures:
    """All signatures. Raises TopologyError naming line and column of all that is wrong."""
    document = parse(path.read_text(encoding="utf-8", errors="surrogateescape"), str(path))
    values: dict[str, Any] = {}
    try:
        values = read_record(document, (), document.root, _FILE)
    except ValueError as error:
        document.report((), str(error))
    if not document.problems:
        _refuse_twins(document, values)
    if document.problems:
        raise TopologyError(document.problems)
    texts = ({**value, "pattern": value["regex"]} for value in values["texts"])
    return Signatures(
        tuple(Signature(**_without(value, "regex")) for value in texts),
        tuple(NeverEmpty(**value) for value in values["must_not_be_empty"]),
    )


def _without(value: dict[str, Any], key: str) -> dict[str, Any]:
    return {name: item for name, item in value.items() if name != key}


def _refuse_twins(document: Document, values: dict[str, Iterable[dict[str, Any]]]) -> None:
    seen: set[str] = set()
    for section in ("texts", "must_not_be_empty"):
        for index, value in enumerate(values[section]):
            if value["id"] in seen:
                document.report((section, index, "id"), f"id {value['id']!r} is there twice")
            seen.add(value["id"])
