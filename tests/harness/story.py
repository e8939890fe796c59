"""The golden image that rotted: a bootable image changed, grown and damaged as in the story."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

NAME = "nxosv9k-7.0.3.I7.4.qcow2"
DELTAS = 1847
BOOT_WORDS = "isolated=GOLD console=ttyS0,9600n8"
MEMORY_LINE = "Memory limit 3.8GB detected. Limiting routing table to 4k routes"
RELEASE = "7.0(3)I7(3)"
"""What the disk says; its name says I7(4)."""
NEXUS_RELEASE = "9.3.9"
_NEXUS_SCRIPT = (
    "part-init /dev/sdb gpt",
    "part-add /dev/sdb p 2048 34815",
    "part-add /dev/sdb p 34816 67583",
    "part-add /dev/sdb p 67584 100351",
    "mkfs vfat /dev/sdb1",
    "mkfs ext3 /dev/sdb2",
    "mkfs ext3 /dev/sdb3",
    "mount /dev/sdb1 /",
    "mkdir-p /EFI/BOOT",
    "write /EFI/BOOT/BOOTX64.EFI MZ",
    "umount-all",
    "mount /dev/sdb2 /",
    f"write /nxos.{NEXUS_RELEASE}.bin x",
    "umount-all",
    "mount /dev/sdb3 /",
    "mkdir-p /boot/grub",
    r'write /boot/grub/menu.lst.local "kernel (hd0,1)/nxos.bin console=ttyS0,115200n8\n"',
)
_TCG = {"LIBGUESTFS_BACKEND": "direct", "LIBGUESTFS_BACKEND_SETTINGS": "force_tcg"}


def tamper(image: Path, nexus: Path) -> None:
    """Edit the boot line of the free guest's `image`, and plant what the story found on it.

    In the same appliance the empty qcow2 file `nexus` becomes a disk laid out like a Nexus's, with
    NEXUS_RELEASE on it: booting one costs more than all else.
    """
    folder = image.parent
    (folder / "dmesg").write_text(f"[    0.000000] Linux\n[    1.5] {MEMORY_LINE}\n")
    (folder / "version.txt").write_text(f"NXOS image\nversion {RELEASE}\n")
    boot = folder / "syslinux.cfg"
    script = [
        "run",
        "mount /dev/sda1 /",
        f"download /syslinux.cfg {boot}",
        f"! sed -i 's/console=ttyS0,115200/{BOOT_WORDS}/' {boot}",
        f"upload {boot} /syslinux.cfg",
        "umount-all",
        "mount /dev/sda2 /",
        "mkdir-p /isan/etc",
        f"upload {folder / 'version.txt'} /isan/etc/version.txt",
        f"upload {folder / 'dmesg'} /var/log/dmesg",
        "touch /var/log/bgp_debug.log",
        "umount-all",
        *_NEXUS_SCRIPT,
    ]
    done = subprocess.run(
        ["guestfish", "--rw", "--format=qcow2", "-a", image, "-a", nexus],
        input="\n".join(script) + "\n",
        text=True,
        env={**os.environ, **_TCG},
        capture_output=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert BOOT_WORDS in boot.read_text()


def grow(base: Path, folder: Path, deltas: int = DELTAS) -> Path:
    """A chain of empty deltas on `base`, made by the header as nobody's tool would wait for."""
    folder.mkdir()
    os.link(base, folder / "d0000.qcow2")
    first = folder / "d0001.qcow2"
    formats = ["-f", "qcow2", "-F", "qcow2"]
    size = str(_virtual_size(base))
    words: list[str | Path] = [
        "qemu-img",
        "create",
        "-q",
        "-u",
        *formats,
        "-b",
        "d0000.qcow2",
        first,
        size,
    ]
    subprocess.run(words, check=True, cwd=folder)
    raw = first.read_bytes()
    assert raw.count(b"d0000.qcow2") == 1
    for number in range(2, deltas + 1):
        named = raw.replace(b"d0000.qcow2", b"d%04d.qcow2" % (number - 1))
        (folder / f"d{number:04}.qcow2").write_bytes(named)
    return (folder / f"d{deltas:04}.qcow2").rename(folder / NAME)


def ruin(image: Path) -> None:
    """Garbage into the L2 tables and the refcounts, as after a lost write-back cache."""
    with image.open("r+b") as file:
        raw = file.read(104)
        l1, refcounts = (int.from_bytes(raw[at : at + 8], "big") for at in (40, 48))
        l2 = _entry(file.fileno(), l1) & 0x00FFFFFFFFFFFE00
        block = _entry(file.fileno(), refcounts)
        os.pwrite(file.fileno(), b"\x80\x00\x00\x7f\xff\xff\x12\x34" * 247, l2 + 0x6000)
        os.pwrite(file.fileno(), b"\x00\x07" * 128, block + 64)


def _entry(descriptor: int, offset: int) -> int:
    return int.from_bytes(os.pread(descriptor, 8, offset), "big")


def _virtual_size(image: Path) -> int:
    with image.open("rb") as file:
        return int.from_bytes(file.read(32)[24:], "big")
