"""`labctl status` as a script of its own: status.py --connect URI --home HOME [LAB] [--json].

It looks at all that labctl looks at: domains and marks, consoles of running nodes, disk headers,
who holds each lab's lock, and whether a run was cut off.
"""

import argparse
import fcntl
import json
import re
import struct
import time
from pathlib import Path
from xml.etree import ElementTree

import libvirt

MARK = "metadata/{https://labctl.dev/xmlns/domain/1}mark"
STATES = {1: "running", 3: "paused", 4: "shutting down", 5: "shut off", 6: "crashed"}
PHASE = re.compile(rb"labctl-guest: phase (\w+)")
HEADER = (
    *("lab", "node", "role", "platform", "state", "phase"),
    *("up", "age", "memory", "vcpus", "chain"),
)


def depth(disk: Path) -> int:
    """How many backing files there are below a qcow2 file, by their headers."""
    layers = 0
    while True:
        with disk.open("rb") as file:
            magic, _, offset, size = struct.unpack(">4sIQI", file.read(20))
            if magic != b"QFI\xfb" or not offset:
                return layers
            file.seek(offset)
            disk = Path(file.read(size).decode())
        layers += 1


def age(path: Path) -> str:
    """Seconds since the file was last written."""
    return f"{time.time() - path.stat().st_mtime:.0f} s" if path.exists() else "-"


def row(domain: libvirt.virDomain, state: int, home: Path) -> list[str]:
    """One line of the table; empty for a domain that labctl did not make."""
    root = ElementTree.fromstring(domain.XMLDesc(0))
    mark = root.find(MARK)
    if mark is None:
        return []
    folder = home / "labs" / mark.attrib["lab"] / "nodes" / mark.attrib["node"]
    running, phases = state == libvirt.VIR_DOMAIN_RUNNING, []
    if running:
        phases = PHASE.findall((folder / "console.log").read_bytes())
    return [
        mark.attrib["lab"],
        mark.attrib["node"],
        mark.attrib["role"],
        mark.attrib["platform"],
        STATES.get(state, "other"),
        phases[-1].decode() if phases else "-",
        age(folder / "started") if running else "-",
        age(folder / "day0.iso"),
        f"{int(root.findtext('memory', '0')) // 1024} MiB",
        root.findtext("vcpu", ""),
        str(depth(folder / "disk.qcow2")),
    ]


def remarks(folder: Path) -> list[str]:
    """Is a run at work on the lab, or was one cut off?"""
    lock = folder.with_name(folder.name + ".lock")
    if lock.exists():
        with lock.open() as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return [f"{folder.name}: at work on it now: {file.read()}"]
    records = [json.loads(line) for line in (folder / "journal.jsonl").open()]
    return [] if records[-1].get("run") == "end" else [f"{folder.name}: left unfinished"]


def main() -> None:
    """Print all labs' nodes, or one's."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--connect")
    parser.add_argument("--home", type=Path)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("lab", nargs="?")
    asked = parser.parse_args()
    connection = libvirt.open(asked.connect)
    stats = connection.getAllDomainStats(libvirt.VIR_DOMAIN_STATS_STATE)
    found = (row(domain, values["state.state"], asked.home) for domain, values in stats)
    rows = sorted(cells for cells in found if cells and asked.lab in (None, cells[0]))
    connection.close()
    if asked.json:
        print(json.dumps([dict(zip(HEADER, cells, strict=True)) for cells in rows], indent=2))
        return
    table = [list(HEADER), *rows]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for cells in table:
        print("  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)))
    for folder in sorted((asked.home / "labs").glob("*/")):
        print(*remarks(folder), sep="\n", end="")


if __name__ == "__main__":
    main()
