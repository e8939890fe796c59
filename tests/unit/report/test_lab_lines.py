"""What `labctl validate` says of a sound file."""

from __future__ import annotations

from harness.nexus_labs import intent_of, lab
from labctl.report.lab import lab_lines
from labctl.report.paint import Paint


def test_pairs_are_told_and_who_is_left_without_a_partner() -> None:
    lines = lab_lines(intent_of(lab(vpc=True)).lab, Paint())
    assert lines[-2:] == [
        "  vPC pairs: leaf-1 and leaf-2",
        "  in no vPC pair, for want of a partner: leaf-3",
    ]


def test_without_pairs_there_is_nothing_to_tell_of_them() -> None:
    assert not any("vPC" in line for line in lab_lines(intent_of(lab()).lab, Paint()))
