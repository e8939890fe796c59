"""A site in memory whose switches are fake Nexus: typed to on consoles that are recorded."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from xml.etree.ElementTree import Element

import pytest

from harness.fake import FakeHypervisor, writes_console_log
from harness.fake_console import FakeConsole
from harness.fake_nexus import FakeNexus, Habits
from harness.site import READY, Site
from labctl.hypervisor.api import ConsoleStream
from labctl.images.store import ImageStore
from labctl.ops.secrets import admin_password

IMAGE = "nxosv9k-7.0.3.I7.4"


class NexusConsole(FakeConsole):
    """What is typed goes to the Nexus; what it prints is recorded and comes back."""

    def __init__(self, nexus: FakeNexus, log: Path) -> None:
        super().__init__()
        self._nexus = nexus
        self._log = log

    def write(self, data: bytes) -> None:
        super().write(data)
        printed = self._nexus.type(data)
        record(self._log, printed)
        self.feed(printed)


def record(log: Path, printed: bytes) -> None:
    with log.open("ab") as file:
        file.write(printed)


class NexusHypervisor(FakeHypervisor):
    """Machines under a Nexus's firmware are a Nexus each, as their habits have it."""

    def __init__(self, site: NexusSite) -> None:
        super().__init__()
        self.site = site
        self.on_start = self._boot

    def _boot(self, domain: Element) -> None:
        name = domain.findtext("name", "")
        if domain.find("os/loader") is None:
            writes_console_log(*READY)(domain)
            return
        node = name.partition(".")[2]
        habits = self.site.habits.get(node, Habits())
        habits = replace(habits, host=node, password=admin_password(self.site.home))
        nexus = FakeNexus(habits)
        log = domain.find("devices/serial/log")
        assert log is not None
        self.site.running[name] = (nexus, Path(log.get("file", "")))
        record(self.site.running[name][1], nexus.start())

    def reload(self, name: str) -> None:
        """The Nexus starts anew, its machine runs on."""
        nexus, log = self.site.running[name]
        again = FakeNexus(nexus.habits)
        self.site.running[name] = (again, log)
        record(log, b"reload\r\n" + again.start())

    def open_console(self, name: str, *, force: bool = False) -> ConsoleStream:
        stream = super().open_console(name, force=force)
        if name in self.site.running:
            stream = self.consoles[name] = NexusConsole(*self.site.running[name])
        return stream


class NexusSite(Site):
    """A Site with a golden image of a Nexus; `habits` by node, healthy unless told otherwise."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.habits: dict[str, Habits] = {}
        self.running: dict[str, tuple[FakeNexus, Path]] = {}
        offered, facts = self.fake.offered, self.fake.facts
        self.fake = NexusHypervisor(self)
        self.fake.offered, self.fake.facts = offered, replace(facts, memory_total=64_000)
        store = ImageStore(self.home.images)
        store.add(folder / "frr.qcow2", name=IMAGE, source="made by the tests")

    def write_pair(self, extra: str = "") -> None:
        """A spine and a leaf."""
        self.write(
            f"lab: pair\nplatform: nxosv9k\nimage: {IMAGE}\n"
            f"fabric: {{spines: 1, leaves: 1}}\n{extra}"
        )


@pytest.fixture
def nexus_site(tmp_path: Path) -> NexusSite:
    """An empty site for Nexus labs."""
    return NexusSite(tmp_path)
