"""A kill at every single step of up, rebuild, down and destroy: the next run converges."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest

from harness.killed import killed_at
from harness.site import Site, pair

pytestmark = pytest.mark.chaos

FIRST = pair("a", "b")
CHANGED = pair("a", "c").replace("a: {role: host}", "a: {role: host, memory: 256 MiB}")


@dataclass(frozen=True)
class Scene:
    """What there is, what is killed, and how many places it has at least to be killed at."""

    before: Callable[[Site], object]
    job: Callable[[Site], object]
    fewest: int
    file: str = FIRST
    hosts: tuple[str, ...] = ("a", "b")


def nothing(site: Site) -> None:
    site.assert_gone()


def lab_is_up(site: Site) -> None:
    site.write(FIRST)
    site.up()


SCENES = {
    "up": Scene(nothing, Site.up, 30),
    "up of a changed file": Scene(lab_is_up, Site.up, 30, CHANGED, ("a", "c")),
    "rebuild": Scene(lab_is_up, Site.rebuild, 30),
    "down": Scene(lab_is_up, Site.down, 5),
    "destroy": Scene(lab_is_up, Site.destroy, 15),
}


def up_and_destroy(site: Site, hosts: tuple[str, ...]) -> None:
    site.up()
    site.assert_whole(*hosts)
    destroy(site, hosts)


def destroy(site: Site, _hosts: tuple[str, ...]) -> None:
    site.destroy()
    site.assert_gone()


@pytest.mark.parametrize("mend", [up_and_destroy, destroy])
@pytest.mark.parametrize("scene", SCENES.values(), ids=SCENES)
def test_killed_at_every_step(
    site: Site, tmp_path: Path, scene: Scene, mend: Callable[[Site, tuple[str, ...]], None]
) -> None:
    place = 0
    for place in count(1):
        scene.before(site)
        site.write(scene.file)
        killed = killed_at(site.fake, place, tmp_path, lambda: scene.job(site))
        mend(site, scene.hosts)
        if not killed:
            break
    assert place > scene.fewest, "hardly any place to be killed at was met"
