"""From a file tree to a bootable qcow2: the same bytes each time, no root, no loop devices."""

from __future__ import annotations

import os
import stat
import struct
from collections.abc import Iterator, Mapping
from pathlib import Path

from imagebuild.recipe import Disk
from imagebuild.tools import MBR_CODE, BuildError, run

_MIB = 1 << 20
_SECTOR = 512
_FAT_START = 1 * _MIB
# Spelled out, so that the host's mke2fs.conf has no say. No checksums: they cost emulated cycles.
_EXT4_FEATURES = (
    "none,has_journal,ext_attr,dir_index,filetype,extent,flex_bg,sparse_super,large_file,huge_file,"
    "dir_nlink,extra_isize"
)


def initrd(path: Path, files: Mapping[str, Path], epoch: int) -> None:
    """Write a cpio archive (newc): short enough to do without a tool, root or a scratch folder."""
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
    run(
        ["mformat", "-i", str(path), *geometry, "-N", disk.fat_serial, "-v", "LABCTLBOOT", "::"],
        env=env,
    )
    run(["syslinux", "--install", str(path)], env=env)
    for name, source in files.items():
        run(["mcopy", "-i", str(path), str(source), f"::{name}"], env=env)


def root_partition(
    path: Path, disk: Disk, root: Path, owners: Mapping[str, tuple[int, int]]
) -> None:
    """ext4, filled in sorted order by debugfs.

    `mke2fs -d` would be shorter, but takes owners and ctimes from the build's own files.
    """
    env = {"E2FSPROGS_FAKE_TIME": str(disk.epoch), "SOURCE_DATE_EPOCH": str(disk.epoch)}
    size = disk.size_mib * _MIB - _root_start(disk)
    _blank(path, size)
    extended = f"hash_seed={disk.uuid},lazy_itable_init=0,lazy_journal_init=0,root_owner=0:0"
    options = f"-q -F -t ext4 -O {_EXT4_FEATURES} -b 4096 -I 256 -m 0 -N {disk.inodes}".split()
    options += f"-J size={disk.journal_mib} -L {disk.label} -U {disk.uuid} -E {extended}".split()
    run(["mke2fs", *options, str(path)], env=env)
    script = "".join(f"{command}\n" for command in _debugfs_commands(root, owners))
    # debugfs exits 0 whatever happens; all a good run prints is its banner and its commands.
    output = run(["debugfs", "-w", "-f", "-", str(path)], cwd=root, env=env, stdin=script)
    expected = ("debugfs: ", "debugfs 1", "Allocated inode:")
    if bad := [line for line in output.splitlines() if line and not line.startswith(expected)]:
        raise BuildError("debugfs: " + "\n".join(bad[:20]))
    run(["e2fsck", "-fn", str(path)], env=env)


def _debugfs_commands(root: Path, owners: Mapping[str, tuple[int, int]]) -> Iterator[str]:
    for path in sorted(root.rglob("*")):  # a folder sorts before what is in it
        name = path.relative_to(root).as_posix()
        mode = path.lstat().st_mode
        uid, gid = owners.get(name, (0, 0))
        yield f"cd /{path.parent.relative_to(root).as_posix()}"
        if stat.S_ISLNK(mode):
            yield f"symlink {path.name} {path.readlink()}"
        elif stat.S_ISDIR(mode):
            yield f"mkdir {path.name}"
        else:
            yield f"write {name} {path.name}"
        yield f"set_inode_field {path.name} mode 0{mode:o}"
        yield f"set_inode_field {path.name} uid {uid}"
        yield f"set_inode_field {path.name} gid {gid}"


def assemble(path: Path, disk: Disk, boot: Path, root: Path) -> None:
    """MBR, boot and root partition into one raw disk."""
    start = _root_start(disk)
    entries = b"".join(
        struct.pack(
            "<B3sB3sII",
            flag,
            b"\xfe\xff\xff",
            kind,
            b"\xfe\xff\xff",
            at // _SECTOR,
            size // _SECTOR,
        )
        for flag, kind, at, size in (
            (0x80, 0x0E, _FAT_START, disk.boot_mib * _MIB),
            (0x00, 0x83, start, disk.size_mib * _MIB - start),
        )
    )
    code = MBR_CODE.read_bytes()[:440].ljust(440, b"\0")
    _blank(path, disk.size_mib * _MIB)
    with path.open("r+b") as out:
        out.write(
            code + struct.pack("<IH", disk.disk_id, 0) + entries.ljust(64, b"\0") + b"\x55\xaa"
        )
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
