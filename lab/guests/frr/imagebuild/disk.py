"""From a file tree to a bootable qcow2, byte for byte the same each time, without root or loop devices."""

from __future__ import annotations

import os
import stat
import struct
from collections.abc import Iterable, Mapping
from pathlib import Path

from imagebuild.recipe import Disk
from imagebuild.tools import MBR_CODE, BuildError, run

_MIB = 1 << 20
_SECTOR = 512
_FAT_START = 1 * _MIB
# Spelled out, so that the host's mke2fs.conf has no say. No checksums: they only cost emulated cycles.
_EXT4_FEATURES = (
    "none,has_journal,ext_attr,dir_index,filetype,extent,flex_bg,sparse_super,large_file,huge_file,"
    "dir_nlink,extra_isize"
)


def initrd(path: Path, files: Mapping[str, Path], epoch: int) -> None:
    """A cpio archive (newc): the kernel takes several formats, this one needs no tool and no root."""
    folders = sorted({p for name in files for p in map(str, Path(name).parents) if p != "."})
    folders += ["dev", "proc", "root"]
    members = [(name, 0o040755, b"") for name in sorted(set(folders))]
    members += [(name, 0o100755, files[name].read_bytes()) for name in sorted(files)]
    out = bytearray()
    for inode, (name, mode, data) in enumerate([*members, ("TRAILER!!!", 0, b"")], start=1):
        fields = (inode, mode, 0, 0, 1, epoch, len(data), 0, 0, 0, 0, len(name) + 1, 0)
        out += b"070701" + b"".join(b"%08X" % field for field in fields) + name.encode() + b"\0"
        out += bytes(-len(out) % 4) + data
        out += bytes(-len(out) % 4)
    path.write_bytes(out)


def boot_partition(path: Path, disk: Disk, files: Mapping[str, Path]) -> None:
    """FAT with syslinux, written through mtools."""
    env = {"SOURCE_DATE_EPOCH": str(disk.epoch), "MTOOLS_SKIP_CHECK": "1", "MTOOLSRC": "/dev/null"}
    _blank(path, disk.boot_mib * _MIB)
    sectors, hidden = disk.boot_mib * _MIB // _SECTOR, _FAT_START // _SECTOR
    geometry = ["-h", "64", "-s", "32", "-T", str(sectors), "-H", str(hidden)]
    run(["mformat", "-i", str(path), *geometry, "-N", disk.fat_serial, "-v", "LABCTLBOOT", "::"], env=env)
    run(["syslinux", "--install", str(path)], env=env)
    for name, source in files.items():
        run(["mcopy", "-i", str(path), str(source), f"::{name}"], env=env)


def root_partition(path: Path, disk: Disk, root: Path, owners: Mapping[str, tuple[int, int]]) -> None:
    """ext4, filled in sorted order by debugfs.

    `mke2fs -d` would be shorter, but takes owners and ctimes from the build's own files.
    """
    env = {"E2FSPROGS_FAKE_TIME": str(disk.epoch), "SOURCE_DATE_EPOCH": str(disk.epoch)}
    size = disk.size_mib * _MIB - _root_start(disk)
    _blank(path, size)
    run(
        ["mke2fs", "-q", "-F", "-t", "ext4", "-O", _EXT4_FEATURES, "-b", "4096", "-I", "256", "-m", "0"]
        + ["-N", str(disk.inodes), "-J", f"size={disk.journal_mib}", "-L", disk.label, "-U", disk.uuid]
        + ["-E", f"hash_seed={disk.uuid},lazy_itable_init=0,lazy_journal_init=0,root_owner=0:0", str(path)],
        env=env,
    )
    script = "\n".join(_debugfs_commands(root, owners)) + "\n"
    # debugfs exits 0 whatever happens: its echo of commands is the only output of a good run.
    output = run(["debugfs", "-w", "-f", "-", str(path)], cwd=root, env=env, stdin=script)
    bad = [line for line in output.splitlines() if line and not line.startswith(("debugfs:", "Allocated"))]
    if bad:
        raise BuildError("debugfs: " + "\n".join(bad[:20]))
    run(["e2fsck", "-fn", str(path)], env=env)


def _debugfs_commands(root: Path, owners: Mapping[str, tuple[int, int]]) -> Iterable[str]:
    for folder, folders, files in os.walk(root):
        folders.sort()
        inside = os.path.relpath(folder, root)
        yield "cd /" if inside == "." else f"cd /{inside}"
        for name in sorted([*folders, *files]):
            path = Path(folder, name)
            relative = os.path.normpath(os.path.join(inside, name))
            info = path.lstat()
            if stat.S_ISLNK(info.st_mode):
                yield f"symlink {name} {os.readlink(path)}"
            elif stat.S_ISDIR(info.st_mode):
                yield f"mkdir {name}"
                yield f"set_inode_field {name} mode {info.st_mode:#o}"
            else:
                yield f"write {relative} {name}"
                yield f"set_inode_field {name} mode {info.st_mode:#o}"
            uid, gid = owners.get(relative, (0, 0))
            yield f"set_inode_field {name} uid {uid}"
            yield f"set_inode_field {name} gid {gid}"


def assemble(path: Path, disk: Disk, boot: Path, root: Path) -> None:
    """MBR, boot and root partition into one raw disk."""
    start = _root_start(disk)
    entries = b"".join(
        struct.pack("<B3sB3sII", flag, b"\xfe\xff\xff", kind, b"\xfe\xff\xff", at // _SECTOR, size // _SECTOR)
        for flag, kind, at, size in (
            (0x80, 0x0E, _FAT_START, disk.boot_mib * _MIB),
            (0x00, 0x83, start, disk.size_mib * _MIB - start),
        )
    )
    code = MBR_CODE.read_bytes()[:440].ljust(440, b"\0")
    _blank(path, disk.size_mib * _MIB)
    with path.open("r+b") as out:
        out.write(code + struct.pack("<IH", disk.disk_id, 0) + entries.ljust(64, b"\0") + b"\x55\xaa")
        for source, at in ((boot, _FAT_START), (root, start)):
            _copy_sparse(source, out.fileno(), at)


def to_qcow2(raw: Path, target: Path) -> None:
    """Compressed, by one worker: with more, the order of clusters is a race."""
    run(["qemu-img", "convert", "-f", "raw", "-O", "qcow2", "-c", "-m", "1", str(raw), str(target)])


def _root_start(disk: Disk) -> int:
    return _FAT_START + disk.boot_mib * _MIB


def _blank(path: Path, size: int) -> None:
    with path.open("wb") as file:
        file.truncate(size)


def _copy_sparse(source: Path, out: int, at: int) -> None:
    with source.open("rb") as file:
        offset = 0
        while chunk := file.read(_MIB):
            if chunk.count(0) != len(chunk):
                os.pwrite(out, chunk, at + offset)
            offset += len(chunk)
