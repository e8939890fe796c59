"""The image and its manifest in their folder: up to date, or built aside and renamed into place."""

from __future__ import annotations

import fcntl
import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from imagebuild import disk, packages, recipe, rootfs
from imagebuild.packages import Resolution
from imagebuild.recipe import Recipe

_SCRATCH = ".frr-build-"


def build(out: Path, say: Callable[[str], None], *, force: bool) -> Path:
    """Return the path of the image, which is as good as built just now."""
    plan = recipe.load()
    out.mkdir(parents=True, exist_ok=True)
    image, manifest = out / "frr.qcow2", out / "frr.json"
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
            note = Path(scratch, "frr.json")
            note.write_text(json.dumps(facts, indent=2) + "\n")
            # The manifest goes first and comes last: an image without one counts as none.
            manifest.unlink(missing_ok=True)
            built.rename(image)
            note.rename(manifest)
    say(f"built {image}: {size / 1e6:.1f} MB, sha256 {digest}")
    return image


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
    with (out / ".frr.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for leftover in [*out.glob(f"{_SCRATCH}*"), *out.glob(".download-*")]:
            shutil.rmtree(leftover)
        yield


def _assemble(plan: Recipe, resolution: Resolution, archives: Path, scratch: Path) -> Path:
    release, tree, root = resolution.kernel_release, scratch / "packages", scratch / "root"
    packages.unpack(resolution.packages, archives, tree)
    unpacked = rootfs.Unpacked(tree)
    rootfs.assemble(plan, unpacked, release, root)
    boot_files = {
        "syslinux.cfg": scratch / "syslinux.cfg",
        "vmlinuz": unpacked[f"boot/vmlinuz-{release}"],
        "initrd": scratch / "initrd",
    }
    boot_files["syslinux.cfg"].write_text(
        "DEFAULT linux\nLABEL linux\n  LINUX vmlinuz\n  INITRD initrd\n"
        f"  APPEND {plan.command_line}\n"
    )
    disk.initrd(boot_files["initrd"], _early_files(plan, release, root), plan.disk.epoch)

    folders = plan.contents["directories"]
    owners = {f["path"]: (f.get("uid", 0), f.get("gid", 0)) for f in folders}
    boot, system, raw, image = (scratch / f"{n}.img" for n in ("boot", "root", "disk", "frr"))
    disk.boot_partition(boot, plan.disk, boot_files)
    disk.root_partition(system, plan.disk, root, owners)
    disk.assemble(raw, plan.disk, boot, system)
    disk.to_qcow2(raw, image)
    return image


def _early_files(plan: Recipe, release: str, root: Path) -> dict[str, Path]:
    """What the initrd holds; the modules' names sort in the order of loading."""
    modules = rootfs.module_paths(root, release, plan.initrd_modules)
    files = {f"modules/{n:02}-{path.name}": path for n, path in enumerate(modules)}
    return files | {"init": recipe.INITRD / "init", "bin/busybox": root / "usr/bin/busybox"}
