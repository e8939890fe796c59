"""Faults on demand, named in comment lines that real NX-OS would pass over.

    ! standin: fault NAME [TIMES]

TIMES: at so many boots, then no more; without it, always. Counted from the disk's first boot, or
from the next one where the line was typed at the console.
"""

from __future__ import annotations

import re

NAMES = {
    "loader-loop": "every `boot` at the loader ends at the loader again",
    "panic": "the kernel panics while it boots, then silence",
    "inode-corruption-hang": "'Corrupt metadata in inode' while it boots, then silence",
    "silence": "nothing more after 'Loading system software'",
    "memory-cap": "'Memory limit 3.8GB detected', and 4 GB in show version",
    "config-errors": "some lines of the configuration are refused with `%` errors",
    "glued-syslog": "syslog lines glued to each prompt",
    "poap": "asks the POAP question although there is a configuration",
    "poap-loop": "asks the POAP question again and again, whatever the answer",
    "weak-password": "the password dialogue refuses each password as weak",
    "login-refused": "refuses each login",
    "no-boot-variable": "drops `boot nxos`, so that the next boot stops at the loader",
}
_LINE = re.compile(r"^\s*! ?standin: fault (\S+)(?: (\d+))?\s*$", re.MULTILINE)


def named(text: str) -> dict[str, int]:
    """Faults a configuration asks for; the number of boots they last (0: all).

    Raises ValueError for a name that is none: a typing error must not make a test pass.
    """
    found = {match[1]: int(match[2] or 0) for match in _LINE.finditer(text)}
    if unknown := set(found) - set(NAMES):
        raise ValueError(f"no such fault: {', '.join(sorted(unknown))}")
    return found


def from_next(line: str, boot: int) -> str:
    """A fault line typed during a boot, its number counted from the first boot as it is kept."""
    (name, times), *_ = named(line).items()
    return f"! standin: fault {name} {boot + times}" if times else f"! standin: fault {name}"


def in_force(text: str, boot: int) -> frozenset[str]:
    """Faults of the boot with this number, the first being 1."""
    return frozenset(name for name, times in named(text).items() if not times or boot <= times)
