"""Which packages, in which versions, and their files: apt decides, nothing is installed."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from imagebuild.recipe import Distribution
from imagebuild.tools import BuildError, run

_INSTALL = re.compile(r"^Inst (?P<name>\S+) (?:\[\S+\] )?\((?P<version>\S+) .*\[(?P<arch>\w+)\]\)", re.M)
_KERNEL = re.compile(r"^linux-image-(?P<release>\d\S*)$")


@dataclass(frozen=True)
class Package:
    name: str
    version: str
    architecture: str

    @property
    def filename(self) -> str:
        return f"{self.name}_{self.version.replace(':', '%3a')}_{self.architecture}.deb"


@dataclass(frozen=True)
class Resolution:
    """The kernel's packages and the user space's, apart: the kernel's dependencies are not wanted."""

    kernel_release: str
    kernel: tuple[Package, ...]
    programs: tuple[Package, ...]

    @property
    def all(self) -> tuple[Package, ...]:
        return tuple(sorted({*self.kernel, *self.programs}, key=lambda p: p.name))


def _solve(names: Sequence[str]) -> dict[str, Package]:
    """Ask apt what it would install on an empty system, so that the host's own state has no say."""
    with tempfile.TemporaryDirectory(prefix="labctl-apt-") as scratch:
        status = Path(scratch, "status")
        status.touch()
        options = {
            "Dir::State::status": str(status),
            "Dir::Cache": scratch,
            "Debug::NoLocking": "1",
            "APT::Install-Recommends": "0",
            "APT::Sandbox::User": "root",
        }
        flags = [f"-o{key}={value}" for key, value in options.items()]
        try:
            text = run(["apt-get", *flags, "--simulate", "install", *names])
        except BuildError as error:
            raise BuildError(f"{error}\nAre the package lists there? Try: apt-get update") from error
    found = (Package(m["name"], m["version"], m["arch"]) for m in _INSTALL.finditer(text))
    return {package.name: package for package in found}


def resolve(distribution: Distribution) -> Resolution:
    with_kernel = _solve([distribution.kernel, *distribution.packages])
    releases = [m["release"] for m in map(_KERNEL.match, with_kernel) if m]
    if len(releases) != 1:
        raise BuildError(f"{distribution.kernel} leads to {len(releases)} kernels: {releases}")
    names = [name.format(release=releases[0]) for name in distribution.kernel_packages]
    missing = [name for name in names if name not in with_kernel]
    if missing:
        with_kernel.update(_solve(names))
    wanted = set(distribution.packages)
    # Libraries are named lib*; all else that apt would add (dpkg, perl, debconf...) serves installing.
    programs = [p for n, p in with_kernel.items() if n in wanted or n.startswith("lib")]
    return Resolution(
        kernel_release=releases[0],
        kernel=tuple(with_kernel[name] for name in sorted(names)),
        programs=tuple(sorted(programs, key=lambda p: p.name)),
    )


def download(packages: Iterable[Package], folder: Path) -> None:
    """Fill `folder` with exactly these .deb files; apt checks their signatures' digests."""
    folder.mkdir(parents=True, exist_ok=True)
    by_file = {package.filename: package for package in packages}
    for stale in set(path.name for path in folder.iterdir()) - set(by_file):
        (folder / stale).unlink()
    wanted = [f"{p.name}={p.version}" for f, p in by_file.items() if not (folder / f).exists()]
    if wanted:
        with tempfile.TemporaryDirectory(prefix=".download-", dir=folder.parent) as scratch:
            run(["apt-get", "-qq", "-oAPT::Sandbox::User=root", "download", *wanted], cwd=Path(scratch))
            for path in Path(scratch).iterdir():
                path.rename(folder / path.name)
    lost = [name for name in by_file if not (folder / name).exists()]
    if lost:
        raise BuildError(f"apt-get download did not bring {', '.join(sorted(lost))}")


def unpack(packages: Iterable[Package], folder: Path, target: Path) -> None:
    target.mkdir(parents=True)
    with ThreadPoolExecutor() as pool:
        archives = [str(folder / package.filename) for package in packages]
        list(pool.map(lambda archive: run(["dpkg-deb", "-x", archive, str(target)]), archives))
