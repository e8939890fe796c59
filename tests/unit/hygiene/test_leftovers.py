"""What killed runs left."""

from __future__ import annotations

import pytest

from harness import rot
from labctl.hygiene.facts import Leftover, LeftoverKind
from labctl.model.hygiene import MendKind, Severity


def left(kind: LeftoverKind, *, hours: float = 2.0, lab: str = "") -> Leftover:
    return Leftover(kind, rot.HOME / "left", 4096, rot.NOW - hours * 3600, lab)


@pytest.mark.parametrize(
    ("kind", "mend"),
    [
        (LeftoverKind.PART, MendKind.REMOVE_FILE),
        (LeftoverKind.LOCK, MendKind.REMOVE_LOCK),
        (LeftoverKind.EMPTY, MendKind.REMOVE_FOLDER),
        (LeftoverKind.INCOMING, None),
        (LeftoverKind.CANARY, MendKind.REMOVE_FILE),
    ],
)
def test_each_kind_has_its_mend(kind: LeftoverKind, mend: MendKind | None) -> None:
    (finding,) = rot.found(rot.facts(leftovers=(left(kind),)), "leftover")
    assert (finding.mend.kind if finding.mend else None) is mend
    assert finding.command.endswith(str(rot.HOME / "left"))


def test_what_somebody_may_be_writing_is_left_alone() -> None:
    fresh = left(LeftoverKind.PART, hours=0.5)
    assert rot.found(rot.facts(leftovers=(fresh,)), "leftover") == []
    inside = left(LeftoverKind.PART, hours=0.0, lab="pair")
    assert len(rot.found(rot.facts(leftovers=(inside,)), "leftover")) == 1
    busy = rot.facts(leftovers=(inside,), labs=(rot.lab(locked_by="`labctl up`"),))
    assert rot.found(busy, "leftover") == []


def test_a_journal_without_an_end() -> None:
    lab = rot.lab(unfinished=("up: start of a",))
    (finding,) = rot.found(rot.facts(labs=(lab,)), "journal")
    assert (finding.mend, finding.severity) == (None, Severity.WARN)
    own = rot.lab(unfinished=("hygiene: merge layers of a",), own_unfinished=True)
    (finding,) = rot.found(rot.facts(labs=(own,)), "journal")
    assert finding.mend is not None


def test_a_snapshot_known_to_be_damaged() -> None:
    (finding,) = rot.found(rot.facts(labs=(rot.lab(damaged={"s": "found on x: cut"}),)), "snapshot")
    assert finding.subject == "pair/s"
    assert finding.message == "a snapshot of labctl's is damaged, found on x: cut"


def test_snapshots_and_labs_half_made() -> None:
    (finding,) = rot.found(rot.facts(labs=(rot.lab(incomplete=("s",)),)), "snapshot")
    assert finding.command == "labctl snapshot delete pair s"
    (finding,) = rot.found(rot.facts(labs=(rot.lab(nodes=None),)), "lab")
    assert finding.command == "labctl destroy pair"
