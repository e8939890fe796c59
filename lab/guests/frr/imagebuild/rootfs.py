"""The guest's file tree: listed programs with the libraries they need, kernel modules, our own files."""

from __future__ import annotations

import fnmatch
import lzma
import os
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

from imagebuild import elf
from imagebuild.recipe import ROOTFS, Recipe
from imagebuild.tools import BuildError, run

_MERGED = ("bin", "lib", "lib64", "sbin")  # directories that are links into /usr


class Unpacked:
    """The unpacked packages, addressed as if /usr were merged, whatever the packages' age."""

    def __init__(self, folder: Path) -> None:
        self._files: dict[str, Path] = {}
        for path in sorted(folder.rglob("*")):
            if path.is_symlink() or path.is_file():
                self._files.setdefault(_canonical(path.relative_to(folder).as_posix()), path)
        self._libraries: dict[str, str] = {}
        for name in sorted(self._files, key=lambda n: (n.count("/"), n)):
            if name.startswith("usr/lib") and ".so" in name:
                self._libraries.setdefault(os.path.basename(name), name)

    def __getitem__(self, name: str) -> Path:
        return self._files[name]

    def __contains__(self, name: str) -> bool:
        return name in self._files

    def match(self, pattern: str) -> list[str]:
        return fnmatch.filter(self._files, pattern)

    def with_libraries(self, names: Iterable[str]) -> list[str]:
        """These files, the links that lead to them, and every library they need, directly or not."""
        todo, done = list(names), set[str]()
        while todo:
            name = todo.pop()
            if name in done:
                continue
            done.add(name)
            path = self._files[name]
            if path.is_symlink():
                todo.append(_link_target(name, os.readlink(path)))
                continue
            for library in elf.needed(path):
                found = self._find_library(library)
                if found is None:
                    raise BuildError(f"/{name} needs {library}, which no package of the recipe has")
                todo.append(found)
        return sorted(done)

    def _find_library(self, name: str) -> str | None:
        if name.startswith("/"):
            canonical = _canonical(name[1:])
            return canonical if canonical in self._files else None
        return self._libraries.get(name)


def _canonical(name: str) -> str:
    return f"usr/{name}" if name.split("/", 1)[0] in _MERGED else name


def _link_target(name: str, target: str) -> str:
    base = "" if target.startswith("/") else os.path.dirname(name)
    return _canonical(os.path.normpath(os.path.join("/", base, target)).lstrip("/"))


def assemble(recipe: Recipe, unpacked: Unpacked, release: str, root: Path) -> None:
    """Write the tree under `root`. Owners are not set here: the file system writer knows them."""
    contents = recipe.contents
    root.mkdir()
    for folder in contents["directories"]:
        (root / folder["path"]).mkdir(parents=True, exist_ok=True)
    missing = [name for name in contents["programs"] if name not in unpacked]
    if missing:
        raise BuildError(f"not in the packages: {', '.join(missing)}")
    names = unpacked.with_libraries(contents["programs"])
    for pattern in contents["files"]:
        names += unpacked.with_libraries(unpacked.match(pattern))
    for name in sorted(set(names)):
        _copy(unpacked[name], root / name)
    for link, target in contents["links"].items():
        _symlink(root / link, target)
    _copy_modules(unpacked, release, recipe, root)
    for path in sorted(ROOTFS.rglob("*")):
        if path.is_file():
            _copy(path, root / path.relative_to(ROOTFS))
    for path in _walk(root):
        _normalise_mode(path)
    for folder in contents["directories"]:
        (root / folder["path"]).chmod(folder.get("mode", 0o755))
    (root / "etc/shadow").chmod(0o600)


def link_applets(root: Path) -> None:
    """One link for each busybox applet that no full program stands for."""
    listing = run([str(root / "usr/bin/busybox"), "--list-full"])
    for name in sorted(map(_canonical, listing.split())):
        path = root / name
        if not any((root / f / path.name).is_symlink() or (root / f / path.name).exists()
                   for f in ("usr/bin", "usr/sbin")):
            _symlink(path, os.path.relpath("usr/bin/busybox", os.path.dirname(name)))


def _copy_modules(unpacked: Unpacked, release: str, recipe: Recipe, root: Path) -> None:
    """The wanted modules and what they depend on, uncompressed (busybox can't), with depmod's indexes."""
    base = f"usr/lib/modules/{release}"
    index = {_module_name(n): n for n in unpacked.match(f"{base}/kernel/*.ko*")}
    built_in = {_module_name(n) for n in unpacked[f"{base}/modules.builtin"].read_text().split()}
    required = {_module_name(n) for n in (*recipe.initrd_modules, *recipe.modules)}
    if missing := required - set(index) - built_in:
        raise BuildError(f"kernel {release} has no module {', '.join(sorted(missing))}")
    todo = sorted(required | {_module_name(n) for n in recipe.optional_modules})
    done = set[str]()
    while todo:
        name = todo.pop()
        if name in done or name not in index:  # not in the index: built in, or optional and not there
            continue
        done.add(name)
        target = root / index[name][: index[name].index(".ko") + 3]
        _uncompress(unpacked[index[name]], target)
        todo += _dependencies(target)
    for name in ("modules.builtin", "modules.builtin.modinfo", "modules.order"):
        _copy(unpacked[f"{base}/{name}"], root / base / name)
    run(["depmod", "-b", str(root / "usr"), release])


def module_paths(root: Path, release: str, names: Iterable[str]) -> Iterator[Path]:
    """Files of these modules in the order in which insmod can load them."""
    base = root / "usr/lib/modules" / release
    lines = (base / "modules.dep").read_text().splitlines()
    index = {_module_name(f): (f, deps.split()) for f, deps in (line.split(":", 1) for line in lines)}
    seen = set[str]()
    for name in names:
        file, dependencies = index.get(name, ("", []))  # absent: built into the kernel
        for path in [*reversed(dependencies), file]:
            if path and path not in seen:
                seen.add(path)
                yield base / path


def _module_name(path: str) -> str:
    return os.path.basename(path).split(".ko", 1)[0].replace("-", "_")


def _dependencies(module: Path) -> list[str]:
    """The `depends=` tag of a module's .modinfo section."""
    data = module.read_bytes()
    start = data.find(b"\0depends=")
    value = data[start + 9 : data.index(b"\0", start + 9)].decode() if start >= 0 else ""
    return [name.replace("-", "_") for name in value.split(",") if name]


def _uncompress(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.suffix == ".zst":
        run(["zstd", "-dqf", str(source), "-o", str(target)])
    elif source.suffix == ".xz":
        target.write_bytes(lzma.decompress(source.read_bytes()))
    else:
        shutil.copyfile(source, target)


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_symlink():
        _symlink(target, os.readlink(source))
    else:
        target.unlink(missing_ok=True)
        shutil.copyfile(source, target)
        shutil.copymode(source, target)


def _symlink(path: Path, target: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(target)


def _walk(root: Path) -> list[Path]:
    return sorted(root.rglob("*"))


def _normalise_mode(path: Path) -> None:
    """0755 or 0644, whatever umask the recipe was checked out or the packages were unpacked with."""
    if path.is_symlink():
        return
    executable = path.is_dir() or path.stat().st_mode & 0o100
    path.chmod(0o755 if executable else 0o644)
