"""The canary as a machine: its boot sector, its domain, and what its words mean. Pure.

The code itself is lab/canary/canary.S, assembled in canary.hex.
"""

from __future__ import annotations

from pathlib import Path
from xml.sax.saxutils import quoteattr

CANARY_FOLDER = Path(__file__).parent.parent / "lab" / "canary"
ANSWER = b"labctl-canary ok"
MEMORY = 16
"""MiB."""
_DISK_SIZE = 1 << 20
"""Bytes; SeaBIOS boots no disk of a single sector from every controller."""
_STAGES = {
    "B": "the BIOS",
    "P": "protected mode",
    "L": "long mode",
    "S": "SSE2",
    "F": "a page fault",
    "U": "user mode",
}


def boot_disk() -> bytes:
    """The canary's disk: its boot sector, and zeros."""
    text = (CANARY_FOLDER / "canary.hex").read_text(encoding="ascii")
    code = bytes.fromhex("".join(line for line in text.splitlines() if not line.startswith("#")))
    return code.ljust(_DISK_SIZE, b"\0")


def domain_xml(name: str, virt_type: str, disk: Path, log: Path) -> str:
    """A transient machine that boots `disk` and writes what it says on COM1 to `log` as well.

    It has the CPU labs get, since a host may run some CPU models and not others.
    """
    cpu = "host-passthrough" if virt_type == "kvm" else "maximum"
    return f"""\
<domain type={quoteattr(virt_type)}>
  <name>{name}</name>
  <memory unit='MiB'>{MEMORY}</memory>
  <vcpu>1</vcpu>
  <os><type arch='x86_64' machine='q35'>hvm</type><boot dev='hd'/></os>
  <features><acpi/></features>
  <cpu mode='{cpu}'/>
  <on_poweroff>destroy</on_poweroff>
  <on_reboot>destroy</on_reboot>
  <on_crash>destroy</on_crash>
  <devices>
    <disk type='file' device='disk'>
      <driver name='qemu' type='raw'/>
      <source file={quoteattr(str(disk))}/>
      <target dev='vda' bus='virtio'/>
      <readonly/>
    </disk>
    <controller type='usb' model='none'/>
    <serial type='pty'><log file={quoteattr(str(log))} append='off'/></serial>
    <memballoon model='none'/>
  </devices>
</domain>
"""


def progress(heard: bytes) -> str:
    """How far the canary came, in words, by the letters it prints after each stage."""
    text = heard.decode("ascii", errors="replace")
    done = [words for letter, words in _STAGES.items() if letter in text]
    if not done:
        return "it said nothing"
    missing = [words for letter, words in _STAGES.items() if letter not in text]
    reached = ", ".join(done)
    return f"it came through {reached}, then fell silent" + (
        f" in {missing[0]}" if missing else " waiting for timer interrupts"
    )
