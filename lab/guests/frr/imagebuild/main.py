"""The command line: resolve, look into the cache, build in a scratch folder, rename into place."""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import json
import os
import platform
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

from imagebuild import disk, packages, recipe, rootfs
from imagebuild.packages import Resolution
from imagebuild.recipe import Recipe
from imagebuild.tools import BuildError, check_host

_SCRATCH = ".frr-build-"


def main(arguments: Sequence[str]) -> int:
    options = _parse(arguments)
    signal.signal(signal.SIGTERM, _terminated)
    try:
        if platform.machine() != "x86_64":
            raise BuildError(f"the image is for x86_64, this machine is {platform.machine()}")
        check_host()
        image = _build(options.out, force=options.force, quiet=options.print_path)
    except BuildError as error:
        print(f"build: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    if options.print_path:
        print(image)
    return 0


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    parser = argparse.ArgumentParser(prog="build", description="Build the free guest image, frr.qcow2.")
    parser.add_argument("--out", type=Path, default=cache / "labctl/guests", metavar="DIR",
                        help="folder for frr.qcow2 and frr.json (default: %(default)s)")
    parser.add_argument("--force", action="store_true", help="build even if the image is up to date")
    parser.add_argument("--print-path", action="store_true",
                        help="build if needed, then print nothing but the image's path")
    return parser.parse_args(arguments)


def _terminated(number: int, frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def _build(out: Path, *, force: bool, quiet: bool) -> Path:
    started = time.monotonic()

    def say(text: str) -> None:
        if not quiet:
            print(f"[{time.monotonic() - started:5.1f} s] {text}", file=sys.stderr, flush=True)

    plan = recipe.load()
    resolution = packages.resolve(plan.distribution)
    inputs = _inputs(plan, resolution)
    out = out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    image, manifest = out / "frr.qcow2", out / "frr.json"
    with _locked(out):
        if not force and _is_current(image, manifest, inputs):
            say(f"up to date: {image}")
            return image
        with tempfile.TemporaryDirectory(prefix=_SCRATCH, dir=out) as scratch:
            say(f"{len(resolution.all)} packages, kernel {resolution.kernel_release}")
            packages.download(resolution.all, out / "packages")
            say("assembling")
            built = _assemble(plan, resolution, out / "packages", Path(scratch))
            facts = {"sha256": _sha256(built), "size": built.stat().st_size, "inputs": inputs}
            note = Path(scratch, "frr.json")
            note.write_text(json.dumps(facts, indent=2) + "\n")
            # The manifest last: an image without its manifest counts as none.
            manifest.unlink(missing_ok=True)
            built.rename(image)
            note.rename(manifest)
        say(f"built {image}: {facts['size'] / 1e6:.1f} MB, sha256 {facts['sha256']}")
    return image


def _inputs(plan: Recipe, resolution: Resolution) -> dict[str, Any]:
    inputs = {
        "created_from": plan.distribution.name,
        "kernel": resolution.kernel_release,
        "recipe": plan.digest,
        "packages": {p.name: p.version for p in resolution.all},
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
    packages.unpack(resolution.all, archives, tree)
    unpacked = rootfs.Unpacked(tree)
    rootfs.assemble(plan, unpacked, release, root)
    rootfs.link_applets(root)

    modules = list(rootfs.module_paths(root, release, plan.initrd_modules))
    early = {f"modules/{i:02}-{path.name}": path for i, path in enumerate(modules)}
    early |= {"init": recipe.INITRD / "init", "bin/busybox": root / "usr/bin/busybox"}
    initrd, loader = scratch / "initrd", scratch / "syslinux.cfg"
    disk.initrd(initrd, early, plan.disk.epoch)
    loader.write_text(
        f"DEFAULT linux\nLABEL linux\n  LINUX vmlinuz\n  INITRD initrd\n  APPEND {plan.command_line}\n"
    )
    boot_files = {"syslinux.cfg": loader, "vmlinuz": unpacked[f"boot/vmlinuz-{release}"], "initrd": initrd}
    owners = {f["path"]: (f.get("uid", 0), f.get("gid", 0)) for f in plan.contents["directories"]}
    boot, system, raw, image = (scratch / f"{n}.img" for n in ("boot", "root", "disk", "frr"))
    disk.boot_partition(boot, plan.disk, boot_files)
    disk.root_partition(system, plan.disk, root, owners)
    disk.assemble(raw, plan.disk, boot, system)
    disk.to_qcow2(raw, image)
    return image
