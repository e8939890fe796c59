"""A kill at every single step of snapshot restore: the next run takes it on to its end."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest

from harness.killed import killed_at
from harness.site import LAB, Site, pair
from harness.snapshots import assert_all_are_whole
from labctl.hypervisor.api import CommandResult, DomainState
from labctl.ops.restore import restore
from labctl.ops.restore_marker import marker
from labctl.ops.snapshot_create import create
from labctl.ops.snapshot_delete import prune
from labctl.ops.snapshots import Snapshots

pytestmark = pytest.mark.chaos

THEN = {f"{LAB}.a": DomainState.RUNNING, f"{LAB}.b": DomainState.PAUSED}
NOW = {f"{LAB}.a": DomainState.SHUT_OFF, f"{LAB}.c": DomainState.RUNNING}
Run = Callable[[Site], object]


def with_safety(site: Site) -> object:
    return restore(site.context, LAB, "then")


def without_safety(site: Site) -> object:
    return restore(site.context, LAB, "then", safety=False)


def prune_nothing(site: Site) -> object:
    """Any run that changes the lab, this one besides what it finds nothing."""
    return prune(site.context, LAB)


def prepare(site: Site) -> None:
    """A snapshot of two nodes; then one is off, one is gone and a third one there."""
    site.fake.guest = lambda domain, argv: CommandResult(0, "", "")
    site.write(pair("a", "b"))
    site.up()
    site.fake.suspend(f"{LAB}.b")
    create(site.context, LAB, "then")
    site.write(pair("a", "c"))
    site.up()
    site.fake.destroy(f"{LAB}.a")


@pytest.mark.parametrize("mend", [prune_nothing, with_safety])
@pytest.mark.parametrize("job", [with_safety, without_safety])
def test_killed_at_every_step(site: Site, tmp_path: Path, job: Run, mend: Run) -> None:
    """All of it is as then or as now once the next run has ended, and as then once restored."""
    paths = site.home.lab(LAB)
    place, seen = 0, set()
    for place in count(1):
        prepare(site)
        killed = killed_at(site.fake, place, tmp_path, lambda: job(site))
        begun = marker(paths)
        mend(site)
        seen.add(begun.stage if begun else None)
        expected = NOW if killed and begun is None and mend is prune_nothing else THEN
        current = Snapshots(paths).current()
        if site.states != expected:  # killed just before its first step, or just after its last
            assert begun is None
            assert (site.states, current) == (THEN, "then")
        assert marker(paths) is None
        assert_all_are_whole(paths)
        assert not [name for name in site.files if name.endswith(".part")]
        site.destroy()
        site.assert_gone()
        if not killed:
            break
    assert place > 30, "hardly any place to be killed at was met"
    assert len(seen) == 5, f"never killed in some stage: {seen}"


def test_a_killed_taking_on_is_taken_on(site: Site, tmp_path: Path) -> None:
    """The second run is killed too, at every step of what it does."""
    paths = site.home.lab(LAB)
    for place in count(1):
        prepare(site)
        assert killed_at(site.fake, 40, tmp_path, lambda: with_safety(site))
        assert marker(paths) is not None
        killed = killed_at(site.fake, place, tmp_path, lambda: prune_nothing(site))
        prune_nothing(site)
        assert site.states == THEN
        assert marker(paths) is None
        site.destroy()
        site.assert_gone()
        if not killed:
            break
    assert place > 20
