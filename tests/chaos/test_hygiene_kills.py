"""A kill at every single step of `hygiene --fix`: nothing is lost, and the next run ends it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest

from harness.cron import snapshot, write
from harness.killed import killed_at
from harness.site import LAB, Site, pair
from labctl.hypervisor.api import DomainState
from labctl.images.chain import depth
from labctl.images.digest import content_digest
from labctl.ops.hygiene import hygiene
from labctl.ops.mend import mend_all

pytestmark = pytest.mark.chaos

A = f"{LAB}.a"
FEWEST = 12


def fix(site: Site) -> None:
    """As the command: look, mend; all of it must go well."""
    report = hygiene(site.context)
    done = mend_all(site.context, report.mends)
    assert [each.error for each in done] == [""] * len(done)


def up_then_fix(site: Site) -> None:
    """Somebody starts the lab first."""
    site.fake.facts = replace(site.fake.facts, is_local=False)
    assert site.up().failed == ()
    site.fake.facts = replace(site.fake.facts, is_local=True)
    site.down()
    fix(site)


def rotten(site: Site, *, running: bool) -> Path:
    """A lab with two layers on a's overlay; the overlay."""
    site.fake.facts = replace(site.fake.facts, is_local=False)
    site.write(pair("a"))
    site.up()
    site.fake.facts = replace(site.fake.facts, is_local=True)
    if not running:
        site.down()
    overlay = site.home.lab(LAB).node("a").overlay
    write(overlay, 7)
    snapshot(site.fake, A, "x")
    snapshot(site.fake, A, "cron", metadata=False)
    return overlay


def assert_whole(site: Site, overlay: Path) -> None:
    findings = hygiene(site.context).findings
    assert [each for each in findings if each.check != "room"] == []
    assert depth(overlay) == 1
    assert site.domains[A].disks[0] == str(overlay)
    assert site.fake.snapshots(A) == ()
    assert [p for p in site.files if p.endswith((".part", ".lock", "merge.json"))] == []
    assert sorted(p.name for p in overlay.parent.glob("disk*")) == ["disk.qcow2"]


@pytest.mark.timeout(300)
@pytest.mark.parametrize("mend", [fix, up_then_fix])
def test_killed_while_merging_what_is_off(
    site: Site, tmp_path: Path, mend: Callable[[Site], None]
) -> None:
    """What the guest would see at its next start is the same at every moment."""
    place = 0
    for place in count(1):
        overlay = rotten(site, running=False)
        scratch = tmp_path / "scratch"
        before = content_digest(Path(site.domains[A].disks[0]), scratch=scratch)
        killed = killed_at(site.fake, place, tmp_path, lambda: fix(site))
        assert content_digest(Path(site.domains[A].disks[0]), scratch=scratch) == before
        mend(site)
        assert content_digest(overlay, scratch=scratch) == before
        assert_whole(site, overlay)
        site.destroy()
        if not killed:
            break
    assert place > FEWEST


@pytest.mark.timeout(300)
def test_killed_while_merging_what_runs(site: Site, tmp_path: Path) -> None:
    place = 0
    for place in count(1):
        overlay = rotten(site, running=True)
        killed = killed_at(site.fake, place, tmp_path, lambda: fix(site))
        fix(site)
        assert site.states == {A: DomainState.RUNNING}
        assert_whole(site, overlay)
        site.destroy()
        if not killed:
            break
    assert place > FEWEST
