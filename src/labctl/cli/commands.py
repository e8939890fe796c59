"""The table of commands: `labctl --help` reads it, so that help imports no command.

A command's module has a function `command` (its docstring is the long help), or, for a group
of commands, a mapping `COMMANDS` from name to (function, one line).
"""

from __future__ import annotations

from typing import NamedTuple


class Entry(NamedTuple):
    """One command: where it lives below labctl.cli, its section of the help, its one line."""

    module: str
    section: str
    line: str


_LIFE, _LOOK, _NODES, _FILES = "Run a lab", "Before it runs", "While it runs", "Files and images"

COMMANDS: dict[str, Entry] = {
    "up": Entry("up", _LIFE, "Bring a lab up, wait until it is ready, prove that it works"),
    "down": Entry("down", _LIFE, "Stop a lab's machines, keep their disks"),
    "destroy": Entry("destroy", _LIFE, "Remove everything a lab owns"),
    "rebuild": Entry("rebuild", _LIFE, "Make nodes anew from their golden image"),
    "snapshot": Entry("snapshot", _LIFE, "A whole lab at one instant, memory and all"),
    "status": Entry("status", _LIFE, "Labs and nodes as they are"),
    "validate": Entry("validate", _LOOK, "Check the topology file alone"),
    "preflight": Entry(
        "preflight", _LOOK, "Check the file against the host: every finding at once"
    ),
    "plan": Entry("plan", _LOOK, "What `up` would do and why, changing nothing"),
    "render": Entry(
        "render", _LOOK, "Write all XML and configurations to a folder, without libvirt"
    ),
    "verify": Entry("verify", _NODES, "Compare what the file wants with what the devices say"),
    "console": Entry("console", _NODES, "Attach to a node's serial console"),
    "logs": Entry("logs", _NODES, "Show a node's recorded console"),
    "exec": Entry("exec", _NODES, "Run a command on nodes"),
    "save": Entry("save", _NODES, "Write running configurations to a folder"),
    "link": Entry("link", _NODES, "Pull or plug a cable"),
    "image": Entry("image", _FILES, "Golden images: import, inspect, verify, salvage, ..."),
    "hygiene": Entry("hygiene", _FILES, "Find what rots on this host, and mend it"),
    "cache": Entry("cache", _FILES, "States kept for warm starts: list, clear"),
    "export": Entry("export", _FILES, "Write a lab, or a snapshot of it, to one file"),
    "import-lab": Entry("import_lab", _FILES, "Bring up a lab that was exported elsewhere"),
    "replay": Entry("replay", _FILES, "Find phases, prompts and faults in a saved console log"),
    "new": Entry("new", _FILES, "Write a starter topology file"),
    "schema": Entry("schema", _FILES, "Print the JSON Schema of the topology file"),
}
