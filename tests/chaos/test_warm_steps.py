"""A kill at every single step of keeping a state and of a warm start: the next run converges."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest

from harness.killed import killed_at
from harness.site import LAB, Site, pair
from labctl.hypervisor.api import CommandResult, DomainState
from labctl.ops.warm_cache import WarmCache

pytestmark = pytest.mark.chaos

NODES = ("a", "b")


def answer(_domain: str, argv: tuple[str, ...], text: str) -> CommandResult:
    """As a Linux guest, whose clock may be set."""
    if argv[0] == "date":
        return CommandResult(0, "", "")
    done = subprocess.run(argv, input=text, capture_output=True, text=True, check=False)
    return CommandResult(done.returncode, done.stdout, done.stderr)


def up(site: Site) -> None:
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
    site: Site,
    tmp_path: Path,
    before: Callable[[Site], None],
    fewest: int,
    mend: Callable[[Site], None],
) -> None:
    site.fake.facts = replace(site.fake.facts, is_local=True)
    site.fake.guest = answer
    site.write(pair(*NODES))
    place = 0
    for place in count(1):
        before(site)
        killed = killed_at(site.fake, place, tmp_path, lambda: up(site))
        mend(site)
        site.destroy()
        site.assert_gone()
        assert list(WarmCache(site.home).folder.rglob("*.part")) == []
        if not killed:
            break
    assert place > fewest, "hardly any place to be killed at was met"
