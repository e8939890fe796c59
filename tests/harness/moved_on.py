"""A lab with a snapshot `base` of three machines that did three things, and all different since."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.faults import refuse
from harness.site import LAB, Site, pair
from labctl.errors import ExitCode, SnapshotError
from labctl.hypervisor.api import CommandResult, DomainState
from labctl.model.snapshot import Manifest
from labctl.ops.events import Notice
from labctl.ops.journal import Journal
from labctl.ops.lock import lab_lock
from labctl.ops.restore import restore
from labctl.ops.restore_marker import marker
from labctl.ops.snapshot_create import take
from labctl.ops.snapshots import Snapshots
from labctl.ops.target import existing

NODES = ("a", "b", "c")
BEHIND = 1 << 20
RUNNING, PAUSED, OFF = DomainState.RUNNING, DomainState.PAUSED, DomainState.SHUT_OFF


def snapshot(site: Site, name: str, *, memory: bool = True) -> Manifest:
    """Take one."""
    with (
        existing(site.context, LAB) as target,
        lab_lock(site.home, LAB, "snapshot create"),
        Journal(site.home.lab(LAB).journal, "snapshot create") as journal,
    ):
        return take(site.context, target, journal, name, memory=memory)


@pytest.fixture
def moved_on(site: Site) -> Site:
    """Three machines that do three things, a snapshot of that, and then all is different."""
    site.fake.guest = lambda domain, argv: CommandResult(0, "", "")
    site.write(pair(*NODES))
    site.up()
    site.fake.suspend(f"{LAB}.b")
    site.fake.destroy(f"{LAB}.c")
    write(site, "then")
    snapshot(site, "base")
    write(site, "now")
    site.fake.resume(f"{LAB}.b")
    site.fake.start(f"{LAB}.c")
    site.events.clear()
    return site


def disk(site: Site, node: str) -> Path:
    """A node's own disk."""
    return site.home.lab(LAB).node(node).overlay


def write(site: Site, what: str) -> None:
    """Let each node's disk file hold other bytes, behind all that qcow2 looks at."""
    for node in NODES:
        if disk(site, node).exists():
            with disk(site, node).open("r+b") as file:
                file.seek(BEHIND)
                file.write(what.ljust(16).encode())


def held(site: Site) -> dict[str, str]:
    """What each node's disk holds."""
    found = {}
    for node in NODES:
        if disk(site, node).exists():
            found[node] = disk(site, node).read_bytes()[BEHIND:].decode().strip()
    return found


def states(site: Site) -> list[DomainState | None]:
    """Of a, b, c; None for one that is gone."""
    return [site.states.get(f"{LAB}.{node}") for node in NODES]


def told(site: Site) -> str:
    """All notices."""
    return "\n".join(event.text for event in site.events if isinstance(event, Notice))


THEN, NOW = dict.fromkeys(NODES, "then"), dict.fromkeys(NODES, "now")
AS_TAKEN = [RUNNING, PAUSED, OFF]


def assert_as_taken(site: Site) -> None:
    """Machines and disks are those of `base`, and nothing is left to do."""
    assert (states(site), held(site)) == (AS_TAKEN, THEN)
    assert Snapshots(site.home.lab(LAB)).current() == "base"
    assert marker(site.home.lab(LAB)) is None


def folder(lab: Site) -> Path:
    """Where `base` is."""
    return Snapshots(lab.home.lab(LAB)).folder("base")


def cut(lab: Site) -> None:
    """Damage it."""
    with (folder(lab) / "a" / "memory").open("r+") as file:
        file.truncate(9)


def strike(lab: Site, call: str, number: int = 1) -> None:
    """Have libvirt refuse a call."""
    lab.fake.faults.at(call, refuse(), call=number)


def refused(lab: Site, name: str = "base") -> SnapshotError:
    """The error of a restore that changes nothing, but for the note of what it found damaged."""

    def files() -> list[str]:
        return sorted(name for name in lab.files if not name.endswith("/damaged"))

    before = (states(lab), held(lab), files())
    with pytest.raises(SnapshotError) as caught:
        restore(lab.context, LAB, name)
    assert (states(lab), held(lab), files()) == before
    assert marker(lab.home.lab(LAB)) is None
    assert caught.value.exit_code == ExitCode.SNAPSHOT
    return caught.value
