"""NX-OS's structured output as it really comes.

`| json` (or NX-API, whose frame is taken off) prints TABLE_x/ROW_x: one row is an object, several
are a list, an empty table is left out, and an empty document is no output at all. Numbers may be
strings (`json native` keeps their types). Errors come as text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from labctl.devices.facts import DaemonDown, ParseError
from labctl.devices.values import TEXT_LIMIT

Row = dict[str, Any]
_REFUSED = re.compile(
    r"^\s*(% ?(?:Invalid|Incomplete|Ambiguous|Permission|String is invalid|Unknown)\b.*"
    r"|(?:%\s*)?(?:ERROR|Error|Cmd exec error|Syntax error)\b.*)$",
    re.MULTILINE,
)
_NOT_RUNNING = re.compile(r"process currently not running|[A-Z]+ process is not running")
_HEAD = 400
"""Characters at whose beginning a refusal is looked for: tables may speak of errors further on."""
_OBJECT = re.compile(r"^\s*\{", re.MULTILINE)
_DECODER = json.JSONDecoder()


def document(text: str) -> Row | None:
    """The JSON object in `text`, without NX-API's frame; None for text that holds none.

    Raises ParseError where the switch refused the command or the JSON is broken, DaemonDown where
    it says that the process asked does not run.
    """
    head = text[:_HEAD]
    if _NOT_RUNNING.search(head):
        raise DaemonDown(_NOT_RUNNING.search(text)[0])  # type: ignore[index]  # just found
    start = _OBJECT.search(text)
    if start is None:
        refused = _REFUSED.search(head)
        if refused is not None:
            raise ParseError(f"the switch says: {refused[1].strip()[:TEXT_LIMIT]}")
        return None
    try:
        parsed, _ = _DECODER.raw_decode(text, start.end() - 1)
    except (ValueError, RecursionError) as error:
        raise ParseError(f"not JSON ({error}): {text[start.start() :][:TEXT_LIMIT]!r}") from None
    return _unframed(parsed)


def _unframed(parsed: Row) -> Row:
    """What a command printed, taken out of an answer of NX-API."""
    if "error" in parsed and ("jsonrpc" in parsed or "result" not in parsed):
        raise ParseError(f"the switch says: {str(parsed['error'])[:TEXT_LIMIT]}")
    outputs = _member(_member(_member(parsed, "ins_api"), "outputs"), "output")
    if isinstance(outputs, dict):
        if str(outputs.get("code", "200")) != "200":
            raise ParseError(f"the switch says: {str(outputs.get('msg'))[:TEXT_LIMIT]}")
        parsed = outputs
    elif isinstance(_member(parsed, "result"), dict):
        parsed = parsed["result"]
    body = parsed.get("body")
    return body if isinstance(body, dict) else parsed


def _member(value: object, key: str) -> object:
    return value.get(key) if isinstance(value, dict) else None


def rows(value: object, *tables: str) -> Iterator[Row]:
    """The rows of nested tables: `rows(doc, "vrf", "af")` are the af rows of all vrf rows."""
    name, *inner = tables
    for table in _listed(_member(value, f"TABLE_{name}")):
        for row in _listed(_member(table, f"ROW_{name}")):
            if isinstance(row, dict):
                yield from rows(row, *inner) if inner else (row,)


def _listed(value: object) -> list[object]:
    """A list as it is; one thing as a list of it; nothing for None."""
    if isinstance(value, list):
        return value
    return [] if value is None else [value]


def first(row: Row, *names: str) -> object:
    """The first of these members that the row has: releases name them differently."""
    return next((row[name] for name in names if name in row), None)
