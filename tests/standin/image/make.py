"""The stand-in's image: up to date, or built aside and renamed into place.

The free guest's build (lab/guests/frr/imagebuild) does the work; here is what differs: another
kernel, Python, and an EFI program in the place of syslinux.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import shutil
import tempfile
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from imagebuild import disk, packages, recipe, rootfs
from imagebuild.packages import Resolution
from imagebuild.recipe import Disk, Distribution, Recipe
from imagebuild.tools import BuildError, run

from standin.image.uki import unified

FOLDER = Path(__file__).resolve().parents[1]
PLAYER = FOLDER / "player"
ROOTFS = FOLDER / "rootfs"
_SCRATCH = ".standin-build-"
_MIB = 1 << 20


def build(out: Path, say: Callable[[str], None], *, force: bool) -> Path:
    """Return the path of the image, which is as good as built just now."""
    plan = load()
    out.mkdir(parents=True, exist_ok=True)
    image, manifest = out / "standin.qcow2", out / "standin.json"
    with _locked(out):
        resolution = packages.resolve(plan.distribution, out / ".apt.json")
        inputs = _inputs(plan, resolution)
        if not force and _is_current(image, manifest, inputs):
            say(f"up to date: {image}")
            return image
        with tempfile.TemporaryDirectory(prefix=_SCRATCH, dir=out) as scratch:
            say(f"{len(resolution.packages)} packages, kernel {resolution.kernel_release}")
            packages.download(resolution.packages, out / "packages")
            say("assembling")
            built = _assemble(plan, resolution, out / "packages", Path(scratch))
            digest, size = _sha256(built), built.stat().st_size
            facts = {"sha256": digest, "size": size, "inputs": inputs}
            note = Path(scratch, "standin.json")
            note.write_text(json.dumps(facts, indent=2) + "\n")
            # The manifest goes first and comes last: an image without one counts as none.
            manifest.unlink(missing_ok=True)
            built.rename(image)
            note.rename(manifest)
    say(f"built {image}: {size / 1e6:.1f} MB, sha256 {digest}")
    return image


def load() -> Recipe:
    """recipe.toml on top of the free guest's, whose disk, constants and folders it shares."""
    base = recipe.load()
    data = tomllib.loads((FOLDER / "recipe.toml").read_text())
    name = base.distribution.name.split()[0]
    if name not in data["distribution"]:
        raise BuildError(f"tests/standin/recipe.toml knows no distribution '{name}'")
    table = data["distribution"][name]
    return replace(
        base,
        disk=replace(base.disk, **data["disk"]),
        command_line=data["kernel"]["command_line"],
        initrd_modules=tuple(data["kernel"]["initrd_modules"]),
        modules=tuple(data["kernel"]["modules"]),
        optional_modules=(),
        contents={**base.contents, **data["contents"]},
        distribution=Distribution(
            name=base.distribution.name,
            kernel=table["kernel"],
            kernel_packages=tuple(table["kernel_packages"]),
            packages=tuple(table["packages"]),
        ),
        digest=_digest(base.digest),
    )


def _digest(base: str) -> str:
    digest = hashlib.sha256(base.encode())
    for path in [FOLDER / "recipe.toml", *_sources(FOLDER / "image"), *_sources(PLAYER),
                 *_sources(ROOTFS)]:  # fmt: skip
        content = path.read_bytes()
        digest.update(f"{path.relative_to(FOLDER)}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()


def _sources(folder: Path) -> list[Path]:
    found = (path for path in folder.rglob("*") if path.is_file())
    return sorted(path for path in found if "__pycache__" not in path.parts)


def _inputs(plan: Recipe, resolution: Resolution) -> dict[str, Any]:
    inputs = {
        "created_from": plan.distribution.name,
        "kernel": resolution.kernel_release,
        "recipe": plan.digest,
        "packages": {p.name: p.version for p in resolution.packages},
    }
    key = hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()
    return {"key": key, **inputs}


def _is_current(image: Path, manifest: Path, inputs: dict[str, Any]) -> bool:
    try:
        facts = json.loads(manifest.read_text())
        return bool(facts["inputs"]["key"] == inputs["key"] and facts["sha256"] == _sha256(image))
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def _locked(out: Path) -> Iterator[None]:
    """One build at a time in this folder; what a killed one left goes now."""
    with (out / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for leftover in [*out.glob(f"{_SCRATCH}*"), *out.glob(".download-*")]:
            shutil.rmtree(leftover)
        yield


def _assemble(plan: Recipe, resolution: Resolution, archives: Path, scratch: Path) -> Path:
    release, tree, root = resolution.kernel_release, scratch / "packages", scratch / "root"
    packages.unpack(resolution.packages, archives, tree)
    unpacked = rootfs.Unpacked(tree)
    rootfs.assemble(plan, unpacked, release, root)
    _add_ours(root)
    _compile(root)
    owners = {f["path"]: (f.get("uid", 0), f.get("gid", 0)) for f in plan.contents["directories"]}
    boot, system, raw, image = (scratch / f"{n}.img" for n in ("boot", "root", "disk", "standin"))
    loader = _efi_program(plan, unpacked, release, root, scratch)
    _efi_partition(boot, plan.disk, loader)
    disk.root_partition(system, plan.disk, root, owners)
    disk.assemble(raw, plan.disk, boot, system)
    disk.to_qcow2(raw, image)
    return image


def _add_ours(root: Path) -> None:
    """Files of rootfs/ over the free guest's, and the player."""
    files = {path: root / path.relative_to(ROOTFS) for path in _sources(ROOTFS)}
    package = root / "usr/lib/standin/standin"
    files |= {path: package / path.relative_to(FOLDER) for path in _sources(PLAYER)}
    files[FOLDER / "__init__.py"] = package / "__init__.py"
    for source, target in files.items():
        target.parent.mkdir(parents=True, exist_ok=True)
        target.unlink(missing_ok=True)  # it may be a link to busybox, to be replaced, not followed
        target.write_bytes(source.read_bytes())
        target.chmod(0o755 if source.stat().st_mode & 0o100 else 0o644)
    for folder in root.rglob("standin"):
        folder.chmod(0o755)


def _compile(root: Path) -> None:
    """Byte code by the image's own interpreter: compiling under emulation takes seconds."""
    (python,) = (root / "usr/bin").glob("python3.*")
    (library,) = (root / "usr/lib").glob("python3.*")
    shared = ":".join(str(path) for path in (root / "usr/lib").glob("*-linux-gnu"))
    command = [str(root / "usr/lib64/ld-linux-x86-64.so.2"), "--library-path", shared, str(python)]
    # -B: what this Python imports it would itself compile, with the paths of the build within.
    command += ["-B", "-S", "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash"]
    # -s: the paths that the byte code names are the guest's.
    command += ["-s", str(root), "-p", "/", str(library), str(root / "usr/lib/standin")]
    # The seed: byte code holds sets in the order of their hashes.
    run(command, env={"PYTHONHOME": str(root / "usr"), "PYTHONPATH": "", "PYTHONHASHSEED": "0"})
    for cache in root.rglob("__pycache__"):
        cache.chmod(0o755)
        for path in cache.iterdir():
            path.chmod(0o644)


def _efi_program(
    plan: Recipe, unpacked: rootfs.Unpacked, release: str, root: Path, scratch: Path
) -> Path:
    modules = rootfs.module_paths(root, release, plan.initrd_modules)
    files = {f"modules/{n:02}-{path.name}": path for n, path in enumerate(modules)}
    files |= {"init": recipe.INITRD / "init", "bin/busybox": root / "usr/bin/busybox"}
    initrd, program = scratch / "initrd", scratch / "BOOTX64.EFI"
    disk.initrd(initrd, files, plan.disk.epoch)
    sections = {
        ".cmdline": plan.command_line.encode(),
        ".initrd": initrd.read_bytes(),
        ".linux": unpacked[f"boot/vmlinuz-{release}"].read_bytes(),
    }
    stub = unpacked["usr/lib/systemd/boot/efi/linuxx64.efi.stub"].read_bytes()
    program.write_bytes(unified(stub, sections))
    return program


def _efi_partition(path: Path, disk_: Disk, loader: Path) -> None:
    """FAT with the program where any UEFI firmware looks for one. No BIOS boots from it."""
    env = {"SOURCE_DATE_EPOCH": str(disk_.epoch), "MTOOLS_SKIP_CHECK": "1", "MTOOLSRC": "/dev/null"}
    with path.open("wb") as file:
        file.truncate(disk_.boot_mib * _MIB)
    geometry = ["-h", "64", "-s", "32", "-T", str(disk_.boot_mib * _MIB // 512), "-H", "2048"]
    name = ["-N", disk_.fat_serial, "-v", "STANDIN"]
    run(["mformat", "-i", str(path), *geometry, *name, "::"], env=env)
    run(["mmd", "-i", str(path), "::EFI", "::EFI/BOOT"], env=env)
    run(["mcopy", "-i", str(path), str(loader), "::EFI/BOOT/BOOTX64.EFI"], env=env)
