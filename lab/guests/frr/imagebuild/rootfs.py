"""The guest's file tree: programs with the libraries they need, kernel modules, our own files."""

from __future__ import annotations

import fnmatch
import lzma
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

from imagebuild import elf
from imagebuild.recipe import ROOTFS, Recipe
from imagebuild.tools import BuildError, run

_MERGED = {"bin", "lib", "lib64", "sbin"}  # directories that are links into /usr


class Unpacked:
    """The unpacked packages, addressed as if /usr were merged, whatever the packages' age."""

    def __init__(self, folder: Path) -> None:
        self._files: dict[str, Path] = {}
        for path in sorted(folder.rglob("*")):
            if path.is_symlink() or path.is_file():
                self._files.setdefault(_canonical(path.relative_to(folder).as_posix()), path)
        self._libraries: dict[str, str] = {}
        for name in sorted(self._files, key=lambda name: (name.count("/"), name)):
            if name.startswith("usr/lib") and ".so" in name:
                self._libraries.setdefault(PurePosixPath(name).name, name)

    def __getitem__(self, name: str) -> Path:
        try:
            return self._files[name]
        except KeyError:
            raise BuildError(f"no package of the recipe has /{name}") from None

    def match(self, pattern: str) -> list[str]:
        return fnmatch.filter(self._files, pattern)

    def with_libraries(self, names: Iterable[str]) -> set[str]:
        """These files, the links that lead to them, and all libraries needed on the way."""
        todo, done = list(names), set[str]()
        while todo:
            name = todo.pop()
            if name not in done:
                done.add(name)
                todo += self._leads_to(name)
        return done

    def _leads_to(self, name: str) -> Iterator[str]:
        path = self[name]
        if path.is_symlink():
            yield _link_target(name, str(path.readlink()))
            return
        for library in elf.needed(path):
            if library.startswith("/"):
                yield _canonical(library[1:])
            elif library in self._libraries:
                yield self._libraries[library]
            else:
                raise BuildError(f"/{name} needs {library}, which no package of the recipe has")


def _canonical(name: str) -> str:
    return f"usr/{name}" if name.split("/", 1)[0] in _MERGED else name


def _link_target(name: str, target: str) -> str:
    parts: list[str] = []
    for part in (PurePosixPath("/", name).parent / target).parts[1:]:
        parts = parts[:-1] if part == ".." else [*parts, part]
    return _canonical("/".join(parts))


def assemble(recipe: Recipe, unpacked: Unpacked, release: str, root: Path) -> None:
    """Write the tree under `root`. Owners are not set here: the file system's writer does that."""
    contents = recipe.contents
    for folder in contents["directories"]:
        (root / folder["path"]).mkdir(parents=True, exist_ok=True)
    wanted = [*contents["programs"]]
    for pattern in contents["files"]:
        wanted += unpacked.match(pattern)
    for name in sorted(unpacked.with_libraries(wanted)):
        _copy(unpacked[name], root / name)
    for link, target in contents["links"].items():
        _link(root / link, target)
    _copy_modules(unpacked, release, recipe, root)
    for path in sorted(ROOTFS.rglob("*")):
        if path.is_file():
            _copy(path, root / path.relative_to(ROOTFS))
    _link_applets(root)
    _set_modes(
        root, {folder["path"]: folder.get("mode", 0o755) for folder in contents["directories"]}
    )


def module_paths(root: Path, release: str, names: Iterable[str]) -> Iterator[Path]:
    """Files of these modules, dependencies first, as insmod needs them."""
    base = root / "usr/lib/modules" / release
    table = dict(line.split(":", 1) for line in (base / "modules.dep").read_text().splitlines())
    files = {_module_name(file): file for file in table}
    seen = set[str]()
    for name in names:
        if name not in files:  # built into this kernel
            continue
        for file in [*reversed(table[files[name]].split()), files[name]]:
            if file not in seen:
                seen.add(file)
                yield base / file


def _copy_modules(unpacked: Unpacked, release: str, recipe: Recipe, root: Path) -> None:
    """The modules and what they depend on, uncompressed for busybox, with depmod's indexes."""
    base = f"usr/lib/modules/{release}"
    index = {_module_name(name): name for name in unpacked.match(f"{base}/kernel/*.ko*")}
    built_in = map(_module_name, unpacked[f"{base}/modules.builtin"].read_text().split())
    required = {_module_name(name) for name in (*recipe.initrd_modules, *recipe.modules)}
    if missing := required - set(index) - set(built_in):
        raise BuildError(f"kernel {release} has no module {', '.join(sorted(missing))}")
    todo, done = required | {_module_name(name) for name in recipe.optional_modules}, set[str]()
    while todo:
        name = todo.pop()
        if name in done or name not in index:  # not in the index: built in, or not to be had
            continue
        done.add(name)
        target = root / index[name][: index[name].index(".ko") + len(".ko")]
        _uncompress(unpacked[index[name]], target)
        todo |= _dependencies(target)
    for name in ("modules.builtin", "modules.builtin.modinfo", "modules.order"):
        _copy(unpacked[f"{base}/{name}"], root / base / name)
    run(["depmod", "-b", str(root / "usr"), release])


def _module_name(path: str) -> str:
    return PurePosixPath(path).name.split(".ko", 1)[0].replace("-", "_")


def _dependencies(module: Path) -> set[str]:
    """The `depends=` tag of a module's .modinfo section."""
    _, found, rest = module.read_bytes().partition(b"\0depends=")
    value = rest.partition(b"\0")[0].decode() if found else ""
    return {_module_name(name) for name in value.split(",") if name}


def _uncompress(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.suffix == ".zst":
        run(["zstd", "-dqf", str(source), "-o", str(target)])
    elif source.suffix == ".xz":
        target.write_bytes(lzma.decompress(source.read_bytes()))
    else:
        shutil.copyfile(source, target)


def _link_applets(root: Path) -> None:
    """One link for each busybox applet that no full program stands for."""
    listing = run([str(root / "usr/bin/busybox"), "--list-full"])
    taken = {path.name for folder in ("bin", "sbin") for path in (root / "usr" / folder).iterdir()}
    for name in map(_canonical, listing.split()):
        if PurePosixPath(name).name not in taken:
            _link(root / name, "/usr/bin/busybox")


def _copy(source: Path, target: Path) -> None:
    if source.is_symlink():
        _link(target, str(source.readlink()))
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, target)


def _link(path: Path, target: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(target)


def _set_modes(root: Path, exceptions: dict[str, int]) -> None:
    """0755 or 0644, whatever umask the recipe was checked out or the packages unpacked with."""
    for path in sorted(root.rglob("*")):
        if not path.is_symlink():
            executable = path.is_dir() or path.stat().st_mode & 0o100
            mode = 0o755 if executable else 0o644
            path.chmod(exceptions.get(path.relative_to(root).as_posix(), mode))
    (root / "etc/shadow").chmod(0o600)
