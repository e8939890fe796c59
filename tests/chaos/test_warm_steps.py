"""A kill at every single step of keeping a state and of a warm start: the next run converges."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest

from harness.killed import killed_at
from harness.site import LAB, Site
from harness.warm import NODES
from labctl.hypervisor.api import DomainState
from labctl.ops.warm_cache import WarmCache

pytestmark = pytest.mark.chaos


def up(site: Site) -> None:
    """Of a lab that may have been up before, so that nothing is left to verify."""
    result = site.up(verify=True)
    assert result.verify is None or result.verify.healthy


def nothing_kept(site: Site) -> None:
    WarmCache(site.home).clear()


def kept(site: Site) -> None:
    if not WarmCache(site.home).entries(LAB):
        up(site)
        site.destroy()


def up_again(site: Site) -> None:
    up(site)
    site.assert_whole(*NODES)


def down(site: Site) -> None:
    """No machine is left halted, whatever runs next."""
    if site.domains:
        site.down(nodes=[name.partition(".")[2] for name in site.domains][:1])
    if not any("warming" in name for name in site.files):
        assert DomainState.PAUSED not in site.states.values()
    up_again(site)


@pytest.mark.parametrize("mend", [up_again, down])
@pytest.mark.parametrize(
    ("before", "fewest"), [(nothing_kept, 40), (kept, 30)], ids=["keeping", "restoring"]
)
def test_killed_at_every_step(
    warm: Site,
    tmp_path: Path,
    before: Callable[[Site], None],
    fewest: int,
    mend: Callable[[Site], None],
) -> None:
    place = 0
    for place in count(1):
        before(warm)
        killed = killed_at(warm.fake, place, tmp_path, lambda: up(warm))
        mend(warm)
        warm.destroy()
        warm.assert_gone()
        assert list(WarmCache(warm.home).folder.rglob("*.part")) == []
        if not killed:
            break
    assert place > fewest, "hardly any place to be killed at was met"
