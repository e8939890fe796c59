"""A running configuration: a tree of lines, edited one typed line at a time.

NX-OS places a line by the mode it is typed in, not by its indentation: a line that the mode does
not know is tried in the modes around it. So does this.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from standin.player import grammar


class Refused(Exception):
    """NX-OS would not take the line; the text is what it prints."""


@dataclass
class Block:
    """The lines of a section in order, each with what is nested under it."""

    lines: dict[str, Block] = field(default_factory=dict)

    def at(self, *path: str) -> Block | None:
        """The block under these lines, or None."""
        block: Block | None = self
        for line in path:
            block = block.lines.get(line) if block else None
        return block

    def find(self, pattern: str) -> Iterator[tuple[re.Match[str], Block]]:
        """Lines that match wholly, with their blocks."""
        for line, block in self.lines.items():
            if match := re.fullmatch(pattern, line):
                yield match, block

    def first(self, pattern: str) -> str | None:
        """Group 1 of the first line that matches wholly."""
        return next((match.group(1) for match, _ in self.find(pattern)), None)

    def has(self, pattern: str) -> bool:
        """Whether any line matches wholly."""
        return any(True for _ in self.find(pattern))

    def text(self, indent: int = 0) -> Iterator[str]:
        """The lines as `show running-config` has them."""
        for line, block in self.lines.items():
            if indent == 0 and block.lines:
                yield ""
            yield " " * indent + line
            yield from block.text(indent + 2)


_INTERFACES = (
    (r"e(?:t[a-z]*)?\s*(\d+/\d+(?:\.\d+)?)", "Ethernet"),
    (r"lo[a-z]*\s*(\d+)", "loopback"),
    (r"vl[a-z]*\s*(\d+)", "Vlan"),
    (r"po[a-z-]*\s*(\d+)", "port-channel"),
    (r"nve\s*(\d+)", "nve"),
    (r"m[a-z]*\s*(0)", "mgmt"),
)
# Of these a section holds one each: a new one takes the old one's place.
_SINGLE = (
    "hostname", "boot nxos", "ip unnumbered", "ip ospf network", "description", "mtu", "medium",
    "name", "vn-segment", "vni", "rd", "router-id", "remote-as", "update-source", "vrf member",
    "source-interface", "mcast-group", "switchport mode", "switchport access vlan", "cluster-id",
    "switchport trunk allowed vlan", "exec-timeout", "fabric forwarding anycast-gateway-mac",
    "channel-group", "vpc", "encapsulation dot1q", "ebgp-multihop", "speed", "terminal width",
)  # fmt: skip
# Kept as they are typed, since the opposite is the default.
_KEPT_NEGATIVES = (
    "shutdown", "switchport", "ip redirects", "ipv6 redirects", "ip domain-lookup",
    "password strength-check", "feature signature-verification", "system default switchport",
    "feature ssh", "negotiate auto",
)  # fmt: skip


def canonical(line: str) -> str:
    """The line with single blanks and interface names in full."""
    line = re.sub(r"\bshut$", "shutdown", " ".join(line.split()))
    if match := re.fullmatch(r"(no )?int\w* (.+)", line):
        return f"{match[1] or ''}interface {interface(match[2])}"
    return line


def interface(name: str) -> str:
    """The full name of an interface as people abbreviate it; `name` itself if it is none."""
    for pattern, full in _INTERFACES:
        if match := re.fullmatch(pattern, name.strip(), re.IGNORECASE):
            return f"{full}{match[1]}"
    return name


class Editor:
    """Types lines into a configuration."""

    def __init__(self, root: Block) -> None:
        self.root = root
        self._stack: list[tuple[str, Block]] = [("config", root)]

    @property
    def prompt(self) -> str:
        """What the prompt has in its brackets."""
        return grammar.MODES[self._stack[-1][0]].prompt

    @property
    def depth(self) -> int:
        """1 in global configuration, more below."""
        return len(self._stack)

    def leave(self) -> None:
        """`exit`: to the mode around this one."""
        self._stack.pop()

    def home(self) -> None:
        """Back to global configuration, as at the start of a file."""
        del self._stack[1:]

    def apply(self, typed: str) -> None:
        """Take one line. Raises Refused."""
        line = canonical(typed)
        if not line or line.startswith("!"):
            return
        positive = line.removeprefix("no ").removeprefix("default ")
        place = next(
            (
                (depth, opened)
                for depth in range(len(self._stack), 0, -1)
                if (opened := grammar.knows(self._stack[depth - 1][0], positive)) is not None
            ),
            None,
        )
        if place is None:
            raise Refused(invalid(typed))
        if (feature := grammar.needed(positive)) and feature not in self.root.lines:
            raise Refused(invalid(typed))
        depth, opened = place
        del self._stack[depth:]
        block = self._stack[-1][1]
        if positive != line:
            _remove(block, positive, keep=line.startswith("no ") and not opened)
        elif opened:
            self._stack.append((opened, block.lines.setdefault(line, Block())))
        else:
            self._check(block, line)
            _add(block, line)

    def _check(self, block: Block, line: str) -> None:
        """Traps of order that NX-OS has."""
        ethernet = any(b is block for _, b in self.root.find(r"interface Ethernet\d+/\d+"))
        layer3 = re.match(r"ip (address|unnumbered|router|ospf)", line)
        if ethernet and layer3 and "no switchport" not in block.lines:
            raise Refused(invalid(line))
        if line.startswith("vrf member") and block.has(r"ip address .+"):
            for old in [match[0] for match, _ in block.find(r"(ip|ipv6) .+")]:
                del block.lines[old]
            name = next(m[1] for m, b in self.root.find(r"interface (.+)") if b is block)
            raise Refused(f"Warning: Deleted all L3 config on interface {name}")
        if line.startswith("hostname ") and len(line.split()[1]) < 2:
            raise Refused("% Invalid hostname: at least two characters are needed")


def invalid(line: str) -> str:
    """How NX-OS says that it does not know a line."""
    shown = line.strip()
    return f"{' ' * max(len(shown.split(' ')[0]) // 2, 1)}^\n% Invalid command at '^' marker."


def _add(block: Block, line: str) -> None:
    for word in _SINGLE:
        if line.startswith(f"{word} "):
            _remove(block, word, keep=False)
    if line.startswith("ip address ") and not line.endswith(" secondary"):
        for old in [m[0] for m, _ in block.find(r"ip address .+(?<! secondary)")]:
            del block.lines[old]
    if line.startswith("username "):
        _remove(block, " ".join(line.split()[:3]), keep=False)
    block.lines.pop(f"no {line}", None)
    block.lines.setdefault(line, Block())


def _remove(block: Block, line: str, *, keep: bool) -> None:
    for old in [old for old in block.lines if old == line or old.startswith(f"{line} ")]:
        del block.lines[old]
    if keep and line in _KEPT_NEGATIVES:
        block.lines[f"no {line}"] = Block()
