"""Which packages, in which versions, and their files: apt decides, nothing is installed."""

from __future__ import annotations

import hashlib
import json
import re
import tempfile
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

from imagebuild.recipe import Distribution
from imagebuild.tools import BuildError, run

_INSTALL = re.compile(
    r"^Inst (?P<name>\S+) (?:\[\S+\] )?\((?P<version>\S+) .*\[(?P<arch>\w+)\]\)", re.M
)
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
    kernel_release: str
    packages: tuple[Package, ...]


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
            raise BuildError(f"{error}\nNo package lists yet? Try: apt-get update") from error
    found = (Package(m["name"], m["version"], m["arch"]) for m in _INSTALL.finditer(text))
    return {package.name: package for package in found}


def resolve(distribution: Distribution, memo: Path) -> Resolution:
    """Resolve anew only when apt's lists or settings have changed: it takes apt two seconds."""
    state = _state(distribution)
    try:
        known = json.loads(memo.read_text())
        if known["state"] == state:
            packages = tuple(Package(**package) for package in known["packages"])
            return Resolution(known["kernel_release"], packages)
    except (OSError, ValueError, KeyError, TypeError):
        pass  # none yet, or a torn one: as good as none
    resolution = _resolve(distribution)
    memo.write_text(json.dumps({"state": state, **asdict(resolution)}))
    return resolution


def _state(distribution: Distribution) -> str:
    """Digest of what apt's answer depends on, told by names, sizes and times of its files."""
    digest = hashlib.sha256(repr(distribution).encode())
    for folder in ("/etc/apt", "/var/lib/apt/lists"):
        for path in sorted(Path(folder).rglob("*")):
            info = path.stat()
            digest.update(f"{path} {info.st_size} {info.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def _resolve(distribution: Distribution) -> Resolution:
    solved = _solve([distribution.kernel, *distribution.packages])
    releases = [m["release"] for m in map(_KERNEL.match, solved) if m]
    if len(releases) != 1:
        raise BuildError(f"{distribution.kernel} leads to {len(releases)} kernels: {releases}")
    kernel = [name.format(release=releases[0]) for name in distribution.kernel_packages]
    if not set(kernel) <= set(solved):
        solved |= _solve([*solved, *kernel])
    wanted = {*distribution.packages, *kernel}
    # Libraries are named lib*. All else that apt would add (dpkg, perl, debconf...) is for
    # installing, or for building an initrd of the distribution's own.
    packages = [p for name, p in solved.items() if name in wanted or name.startswith("lib")]
    return Resolution(releases[0], tuple(sorted(packages, key=lambda p: p.name)))


def download(packages: Iterable[Package], folder: Path) -> None:
    """Fill `folder` with exactly these .deb files; apt checks their signatures' digests."""
    folder.mkdir(parents=True, exist_ok=True)
    by_file = {package.filename: package for package in packages}
    for stale in {path.name for path in folder.iterdir()} - set(by_file):
        (folder / stale).unlink()
    wanted = [f"{p.name}={p.version}" for f, p in by_file.items() if not (folder / f).exists()]
    if not wanted:
        return
    with tempfile.TemporaryDirectory(prefix=".download-", dir=folder.parent) as scratch:
        fetched = Path(scratch)
        run(["apt-get", "-qq", "-oAPT::Sandbox::User=root", "download", *wanted], cwd=fetched)
        for path in fetched.iterdir():
            path.rename(folder / path.name)
    if lost := [name for name in by_file if not (folder / name).exists()]:
        raise BuildError(f"apt-get download did not bring {', '.join(sorted(lost))}")


def unpack(packages: Iterable[Package], folder: Path, target: Path) -> None:
    target.mkdir(parents=True)

    def extract(package: Package) -> None:
        run(["dpkg-deb", "-x", str(folder / package.filename), str(target)])

    with ThreadPoolExecutor() as pool:
        list(pool.map(extract, packages))
