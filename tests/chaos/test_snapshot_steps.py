"""A kill at every single step of snapshot create, delete and prune: the next run puts it right."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest

from harness.killed import killed_at
from harness.site import LAB, Site, pair
from harness.snapshots import assert_all_are_whole, assert_none_is_half
from labctl.hypervisor.api import DomainState
from labctl.ops.snapshot_create import create
from labctl.ops.snapshot_delete import delete, prune
from labctl.ops.snapshot_list import list_snapshots

pytestmark = pytest.mark.chaos

FILE = pair("a", "b")
BOTH = {f"{LAB}.a": DomainState.RUNNING, f"{LAB}.b": DomainState.RUNNING}


@dataclass(frozen=True)
class Scene:
    """The policy, what is killed, what may be left of one, two and `new`, and how many places it
    has at least to be killed at.
    """

    job: Callable[[Site], object]
    left: frozenset[str]
    fewest: int
    policy: str = ""


SCENES = {
    "create": Scene(lambda site: create(site.context, LAB, "new"), frozenset({"one", "two"}), 20),
    "create and prune": Scene(
        lambda site: create(site.context, str(site.file), "new"),
        frozenset({"two"}),
        25,
        "snapshots: {keep_last: 2}\n",
    ),
    "delete": Scene(lambda site: delete(site.context, LAB, ["one"]), frozenset({"two"}), 10),
    "prune": Scene(
        lambda site: prune(site.context, str(site.file)),
        frozenset({"two"}),
        10,
        "snapshots: {keep_last: 1}\n",
    ),
}


@pytest.mark.parametrize("scene", SCENES.values(), ids=SCENES)
def test_killed_at_every_step(site: Site, tmp_path: Path, scene: Scene) -> None:
    paths = site.home.lab(LAB)
    place = 0
    for place in count(1):
        site.write(FILE)
        site.up()
        for name in ("one", "two"):
            create(site.context, LAB, name)
        site.write(FILE + scene.policy)
        killed = killed_at(site.fake, place, tmp_path, lambda: scene.job(site))
        assert_none_is_half(paths)
        listed = list_snapshots(site.context, LAB).snapshots
        whole = {each.name for each in listed if each.state == "complete"}
        prune(site.context, LAB)  # any run that changes the lab; the lab as applied has no policy
        assert site.states == BOTH
        left = assert_all_are_whole(paths)
        assert scene.left <= set(left) <= whole
        create(site.context, LAB, "again")
        site.destroy()
        site.assert_gone()
        if not killed:
            break
    assert place > scene.fewest, "hardly any place to be killed at was met"
