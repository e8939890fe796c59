"""A site whose labs are kept for warm starts: on this host, with guests that answer."""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.site import LAB, Site, pair
from labctl.hypervisor.api import CommandResult
from labctl.ops.results import UpResult
from labctl.ops.warm_cache import Entry, WarmCache

NODES = ("a", "b")
CHANGED = pair("a", "b").replace("a: {role: host}", "a: {role: host, memory: 256 MiB}")


class Guest:
    """Answers as a Linux guest does; its clock is set by `date`, whose times are kept."""

    def __init__(self) -> None:
        self.dates: list[str] = []

    def __call__(self, domain: str, argv: tuple[str, ...]) -> CommandResult:
        if argv[0] == "date":
            self.dates.append(domain)
            return CommandResult(0, "", "")
        if argv[0] == "fping":
            return CommandResult(127, "", "it has none")
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
        return CommandResult(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def warm(site: Site) -> Site:
    """The site as this host's own, with guests that answer, and a lab of two hosts written."""
    site.fake.facts = replace(site.fake.facts, is_local=True)
    site.fake.guest = Guest()
    site.write(pair(*NODES))
    return site


def up(site: Site, **options: Any) -> UpResult:
    result = site.up(verify=True, **options)
    assert result.verify is not None
    assert result.verify.healthy
    return result


def kept(site: Site) -> tuple[Entry, ...]:
    return WarmCache(site.home).entries(LAB)


def booted_and_destroyed(site: Site) -> Entry:
    """A lab that was up once and is gone; what was kept of it."""
    up(site)
    site.destroy()
    (entry,) = kept(site)
    return entry


def cold_nodes(result: UpResult) -> set[str]:
    return set(NODES) - set(result.warm.nodes if result.warm else ())


def edit(folder: Path, **values: object) -> None:
    """Change fields of a kept state's manifest."""
    path = folder / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))
