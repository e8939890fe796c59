#!/usr/bin/env python3
"""Write the reference pages that code knows best; `make docs` runs it, a test checks it.

--check   write nothing, exit 1 when a page is not as it would be written
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import redirect_stdout
from importlib import import_module
from pathlib import Path
from typing import Any

from labctl.cli.commands import COMMANDS
from labctl.cli.main import main as labctl
from labctl.topology.schema import json_schema

REFERENCE = Path(__file__).parent / "reference"
_MADE = "<!-- Made by docs/generate.py (`make docs`); edit the code instead. -->"


def commands() -> str:
    """Every command's help, as printed."""
    lines = ["# Commands", "", _MADE, "", "```console", "$ labctl --help", _help(), "```"]
    for name in COMMANDS:
        lines += ["", f"## labctl {name}", ""]
        lines += ["```console", f"$ labctl {name} --help", _help(name), "```"]
        module = import_module(f"labctl.cli.{COMMANDS[name].module}")
        for word in getattr(module, "COMMANDS", ()):
            lines += ["", f"### labctl {name} {word}", ""]
            lines += ["```console", f"$ labctl {name} {word} --help", _help(name, word), "```"]
    return "\n".join(lines) + "\n"


def _help(*words: str) -> str:
    printed = io.StringIO()
    with redirect_stdout(printed):
        labctl([*words, "--help"])
    return printed.getvalue().rstrip()


def topology() -> str:
    """Every key of the topology file, from its JSON Schema."""
    schema = json_schema()
    shapes: Mapping[str, Any] = {"TopologyFile": schema, **schema.get("$defs", {})}
    lines = ["# The topology file", "", _MADE, ""]
    lines += ["`labctl schema` prints this as JSON Schema, for editors to complete and check.", ""]
    for name, shape in shapes.items():
        if "properties" in shape:
            lines += [f"## {_title(name)}", "", *_description(shape), *_table(shape), ""]
    return "\n".join(lines).rstrip() + "\n"


def _title(name: str) -> str:
    words = name.removesuffix("Shape").removesuffix("File")
    return "".join(f" {c.lower()}" if c.isupper() else c for c in words).strip().capitalize()


def _description(shape: Mapping[str, Any]) -> list[str]:
    return [shape["description"], ""] if shape.get("description") else []


def _table(shape: Mapping[str, Any]) -> Iterator[str]:
    yield "| key | value | default | meaning |"
    yield "|---|---|---|---|"
    required = set(shape.get("required", ()))
    for key, value in shape["properties"].items():
        default = "required" if key in required else _default(value)
        meaning = " ".join(value.get("description", "").split()).replace("|", "\\|")
        yield f"| `{key}` | {_kind(value)} | {default} | {meaning} |"


def _default(value: Mapping[str, Any]) -> str:
    default = value.get("default")
    if isinstance(default, bool):
        return f"`{str(default).lower()}`"
    return f"`{default}`" if isinstance(default, str | int | float) and default != "" else ""


def _kind(value: Mapping[str, Any]) -> str:
    if "$ref" in value:
        return _reference(value["$ref"])
    if "enum" in value or "const" in value:
        return ", ".join(f"`{item}`" for item in value.get("enum", [value.get("const")]))
    for several in ("anyOf", "oneOf", "allOf"):
        if several in value:
            kinds = dict.fromkeys(_kind(item) for item in value[several])
            return " or ".join(kind for kind in kinds if kind != "null")
    if value.get("type") == "array":
        return f"list of {_kind(value.get('items', {}))}"
    if isinstance(values := value.get("additionalProperties"), Mapping):
        return f"name: {_kind(values)}"
    return str(value.get("type", "any"))


def _reference(reference: str) -> str:
    title = _title(reference.rpartition("/")[2])
    return f"[{title.lower()}](#{title.lower().replace(' ', '-')})"


PAGES = {"commands.md": commands, "topology.md": topology}


def main() -> int:
    """Write the pages, or with --check name those that are out of date."""
    os.environ["COLUMNS"] = "80"  # the width of help
    stale = []
    for name, make in PAGES.items():
        page, text = REFERENCE / name, make()
        if not page.exists() or page.read_text() != text:
            stale.append(name)
            if "--check" not in sys.argv:
                page.write_text(text)
    if "--check" in sys.argv and stale:
        sys.stderr.write(f"out of date, run `make docs`: {', '.join(stale)}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
