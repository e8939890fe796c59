"""A whole site in memory but for its files: labctl's operations and command line against the fake.

site.guests.say["leaf-2"] = PANIC      # what a node's console shows when it starts
site.write(pair("a", "b"))
result = site.up()
"""

from __future__ import annotations

import itertools
import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

import pytest

from harness.fake import FakeHypervisor, writes_console_log
from labctl.hypervisor.api import DomainState, Hypervisor, ObservedDomain
from labctl.images.store import ImageStore
from labctl.model.paths import Home
from labctl.ops.context import Context
from labctl.ops.destroy import destroy
from labctl.ops.down import down
from labctl.ops.events import Event
from labctl.ops.rebuild import rebuild
from labctl.ops.results import DestroyResult, DownResult, UpResult
from labctl.ops.up import up
from labctl.topology import platforms

LAB = "pair"
BOOTING = tuple(f"labctl-guest: phase {name}" for name in ("init", "day0", "network", "daemons"))
READY = (*BOOTING, "labctl-guest: phase ready errors=0")
HUNG = (*BOOTING[:2], "still waiting for the disk")
PANIC = (*BOOTING[:1], "Kernel panic - not syncing: Attempted to kill init!")
BAD_DAY0 = (
    *BOOTING,
    "labctl-guest: error: ip.batch:3: syntax",
    "labctl-guest: phase ready errors=2",
)


def pair(*hosts: str, lab: str = LAB, extra: str = "", links: str = "") -> str:
    """The text of a lab of end hosts; without `links` each is wired to the next."""
    nodes = "".join(f"  {name}: {{role: host}}\n" for name in hosts)
    ends = itertools.pairwise(hosts)
    wires = links or "".join(f"  - [{a}:eth2, {b}:eth1]\n" for a, b in ends)
    return f"lab: {lab}\nnodes:\n{nodes}" + (f"links:\n{wires}" if wires else "") + extra


@dataclass
class Guests:
    """What guests print when they start: by node, ready at once unless told otherwise."""

    say: dict[str, tuple[str, ...]] = field(default_factory=dict)
    started: list[str] = field(default_factory=list)

    def __call__(self, domain: Element) -> None:
        node = domain.findtext("name", "").partition(".")[2]
        self.started.append(node)
        writes_console_log(*self.say.get(node, READY))(domain)


class Site:
    """A hypervisor, labctl's folder with the image `frr` in it, and a topology file."""

    def __init__(self, folder: Path) -> None:
        self.fake = FakeHypervisor()
        self.fake.offered = frozenset({"qemu"})
        # As of another host: what this very machine looks like is not asked.
        self.fake.facts = replace(self.fake.facts, is_local=False)
        self.guests = self.fake.on_start = Guests()
        self.home = Home(folder / "home")
        self.file = folder / "pair.yaml"
        self.events: list[Event] = []
        disk = folder / "frr.qcow2"
        subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", disk, "1M"], check=True)
        ImageStore(self.home.images).add(disk, name="frr", source="made by the tests")

    @property
    def context(self) -> Context:
        return Context(self.home, None, self.connect, self.events.append)

    def connect(self, _uri: str | None) -> Hypervisor:
        return self.fake

    def write(self, text: str) -> None:
        self.file.write_text(text)

    def up(self, **options: Any) -> UpResult:
        return up(self.context, str(self.file), **{"verify": False, **options})

    def rebuild(self, **options: Any) -> UpResult:
        return rebuild(self.context, str(self.file), **{"verify": False, **options})

    def down(self, **options: Any) -> DownResult:
        return down(self.context, LAB, **options)

    def destroy(self) -> DestroyResult:
        return destroy(self.context, LAB)

    @property
    def domains(self) -> dict[str, ObservedDomain]:
        """By name, foreign ones included."""
        return {domain.name: domain for domain in self.fake.domains()}

    @property
    def states(self) -> dict[str, DomainState]:
        return {name: domain.state for name, domain in self.domains.items()}

    @property
    def files(self) -> list[str]:
        """All files of labs: none after destroy. Images and caches are nobody's."""
        kept = {self.home.images, self.home.cache}
        found = (path for path in self.home.folder.rglob("*") if path.is_file())
        return [
            str(path.relative_to(self.home.folder))
            for path in found
            if not kept & set(path.parents)
        ]

    def assert_whole(self, *hosts: str) -> None:
        """The lab runs, a further `up` finds nothing to do, and nothing half-made lies about."""
        assert self.states == {f"{LAB}.{host}": DomainState.RUNNING for host in hosts}
        assert [network.name for network in self.fake.networks()] == [f"labctl-{LAB}"]
        assert not [name for name in self.files if name.endswith((".part", ".lock"))]
        assert self.up().plan.empty

    def assert_gone(self) -> None:
        assert (self.states, self.fake.networks(), self.files) == ({}, (), [])


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """An empty site."""
    return Site(tmp_path)


@pytest.fixture
def impatient(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The platforms of the site with hardly any patience: a guest that hangs is soon late."""
    folder = tmp_path / "platforms"
    folder.mkdir()
    for path in platforms.PLATFORM_FOLDER.glob("*.yaml"):
        text = re.sub(r"deadline: [0-9]+", "deadline: 0.5", path.read_text())
        (folder / path.name).write_text(text)
    quick: Callable[[], object] = partial(platforms.load_platforms, folder)
    monkeypatch.setattr(platforms, "load_platforms", quick)


@pytest.fixture
def by_command_line(site: Site, monkeypatch: pytest.MonkeyPatch) -> Site:
    """The site as `labctl` itself finds it."""
    monkeypatch.setenv("LABCTL_HOME", str(site.home.folder))
    monkeypatch.setattr("labctl.cli.session.connect", site.connect)
    return site
