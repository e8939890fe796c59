"""What --fix may merge, and all that speaks against it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from harness import rot
from labctl.hygiene.facts import Facts
from labctl.hygiene.merge import Merge, merge_of
from labctl.model.inspection import InternalSnapshot

ONE = rot.OVERLAY.with_name("disk.1")
TWO = rot.OVERLAY.with_name("disk.2")


def of(facts: Facts) -> tuple[Merge | None, str]:
    return merge_of(facts, facts.domains[0])


def test_layers_go_into_the_nodes_own_overlay() -> None:
    taken = [rot.snapshot("one", ONE), rot.snapshot("inside")]
    assert of(rot.facts([rot.node(2, snapshots=taken)])) == (
        Merge("vda", rot.OVERLAY, (TWO, ONE), ("one",)),
        "",
    )


def test_snapshots_whose_layers_are_gone_are_only_forgotten() -> None:
    assert of(rot.facts([rot.node(snapshots=[rot.snapshot("one", ONE)])])) == (
        Merge("vda", rot.OVERLAY, (), ("one",)),
        "",
    )


def test_there_is_nothing_to_merge_in_a_healthy_node_or_a_stranger() -> None:
    assert of(rot.facts()) == (None, "")
    stranger = rot.domain("win", disks=[rot.disk(rot.layers(9, Path("/vm/disk.qcow2")))])
    assert of(rot.facts([stranger])) == (None, "")


def _nested() -> Facts:
    middle = rot.layer(rot.OVERLAY.with_name("base"), rot.GOLDEN)
    top, overlay, golden = rot.layers(1)
    return rot.facts([rot.node(disks=[rot.disk([top, overlay, middle, golden])])])


def _inside() -> Facts:
    top, *below = rot.layers(1)
    inside = top._replace(internal=(InternalSnapshot("1", "s", "", 0),))
    return rot.facts([rot.node(disks=[rot.disk([inside, *below])])])


def _memory() -> Facts:
    return rot.facts([rot.node(1, snapshots=[rot.snapshot("m", ONE, memory=True)])])


def _clone() -> Facts:
    clone = rot.layer(Path("/vm/clone"), rot.OVERLAY)
    stranger = rot.domain("clone", disks=[rot.disk([clone, *rot.layers()])])
    return rot.facts([rot.node(1), stranger])


def _file() -> Facts:
    kept = rot.layer(rot.OVERLAY.with_name("disk.kept"), rot.OVERLAY)
    return rot.facts([rot.node(1)], labs=(rot.lab(overlays=(kept,)),))


def _blind() -> Facts:
    facts = rot.facts([rot.node(1)])
    return replace(facts, connections=(replace(facts.connections[0], trouble=("a domain",)),))


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        (_nested(), "more than its golden image"),
        (_inside(), "snapshots inside"),
        (_memory(), "saved memory"),
        (_clone(), "other machines stand on it: clone"),
        (_file(), "disk.kept"),
        (_blind(), "could be looked at"),
        (rot.facts([rot.node(199)]), "199"),
    ],
)
def test_what_speaks_against_a_merge(facts: Facts, words: str) -> None:
    merge, reason = of(facts)
    assert merge is None
    assert words in reason
    (finding,) = rot.found(facts, "chain")
    assert finding.mend is None
    assert words in finding.meaning


def test_layers_of_a_merge_that_was_cut_off_do_not_speak_against_the_next() -> None:
    left = rot.layer(TWO, rot.OVERLAY)
    lab = rot.lab(overlays=(left,), merging={"a": (TWO,)})
    assert of(rot.facts([rot.node(1)], labs=(lab,)))[0] is not None
