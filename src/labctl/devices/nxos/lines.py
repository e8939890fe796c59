"""What single lines and short outputs of NX-OS mean, where booting and commands need to know."""

from __future__ import annotations

import re

# "2021 Mar 26 21:59:21 switch %$ VDC-1 %$ %MODULE-2-MOD_FAIL: ..." on the console (unicon's mock
# data); the same message in `show logging` has no VDC.
_SYSLOG = re.compile(r"^\d{4} [A-Z][a-z]{2} [ \d]\d [\d:]{8} .{0,64}?%\$ VDC-\d")
# "% Invalid command at '^' marker.", "% Ambiguous command", "%Invalid number"; no "%DAEMON-2-..."
_ERROR = re.compile(
    r"^\s{0,8}% {0,2}(?![A-Z][A-Z0-9_]*-)[A-Za-z]|^ERROR:|^Syntax error|^Cmd exec error"
)
_MEMORY = re.compile(r"(\d{4,12})\s?kB of memory", re.IGNORECASE)
_BOOT = re.compile(r"^\s*(?:NXOS|kickstart|system) variable = (\S+)", re.MULTILINE)
_NEXT = "Boot Variables on next reload"
_IMAGE = re.compile(r"\b((?:nxos|n9000)[\w.-]*\.bin)(?!\S)", re.IGNORECASE)


def is_syslog(line: str) -> bool:
    """Whether a message of the system's was printed between what was asked for."""
    return bool(_SYSLOG.match(line))


def is_error(line: str) -> bool:
    """Whether NX-OS refuses what was typed or read from a file."""
    return bool(_ERROR.match(line))


def memory_kib(show_version: str) -> int | None:
    """The memory a node says it has (`with 8163456 kB of memory`)."""
    match = _MEMORY.search(show_version)
    return int(match[1]) if match else None


def has_port(show_interface_brief: str, port: str) -> bool:
    """Whether a port is listed; `Ethernet1/3` shows as `Eth1/3`."""
    words = {
        line.split(maxsplit=1)[0] for line in show_interface_brief.splitlines() if line.strip()
    }
    return port.replace("Ethernet", "Eth", 1) in words


def boot_variable(show_boot: str) -> str:
    """The image the next reload boots, "" when none is set."""
    match = _BOOT.search(show_boot.partition(_NEXT)[2] or show_boot)
    return match[1] if match else ""


def images(listing: str) -> list[str]:
    """The NX-OS images a `dir bootflash:` lists, in its order."""
    return _IMAGE.findall(listing)
