"""Stretches of bytes, held to a plain set."""

from __future__ import annotations

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from labctl.images.ranges import Ranges


@settings(max_examples=60)
@given(st.data())
def test_ranges_are_sets_of_bytes(data: st.DataObject) -> None:
    ranges, wanted = Ranges(), set[int]()
    for _ in range(data.draw(st.integers(1, 12))):
        start = data.draw(st.integers(0, 40))
        end = data.draw(st.integers(0, 40))
        if data.draw(st.booleans()):
            ranges.add(start, end)
            wanted |= set(range(start, end))
        else:
            ranges.remove(start, end)
            wanted -= set(range(start, end))
    found = ranges.stretches()
    assert {byte for a, b in found for byte in range(a, b)} == wanted
    assert all(a < b for a, b in found)
    assert all(one[1] < other[0] for one, other in itertools.pairwise(found))
    assert ranges.total() == len(wanted)
