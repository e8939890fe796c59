"""The retention policy as a topology file gives it."""

from __future__ import annotations

import pytest

from labctl.errors import TopologyError
from labctl.model.retention import Retention
from labctl.topology.load import load
from labctl.topology.platforms import load_platforms

LAB = "lab: sample\nfabric: {spines: 1, leaves: 1}\n"


def retention(text: str) -> Retention:
    return load(LAB + text, source="f.yaml", platforms=load_platforms()).retention


def test_without_one_there_is_none() -> None:
    assert retention("") == Retention()


def test_all_of_it() -> None:
    given = retention(
        "snapshots: {keep_last: 10, keep_daily: 7, max_age: 30 days, max_size: 20 GiB, "
        "protect: [golden-state]}"
    )
    assert given == Retention(10, 7, 30 * 86400.0, 20 * 1024**3, ("golden-state",))


@pytest.mark.parametrize(
    ("age", "seconds"),
    [("1 hour", 3600), ("12hours", 43200), ("1 day", 86400), ("2 weeks", 1209600)],
)
def test_ages_have_units(age: str, seconds: float) -> None:
    assert retention(f"snapshots: {{max_age: {age}}}").max_age == seconds


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ("keep_last: 0", "keep_last: must be 1 or more"),
        ("max_age: 30 d", "max_age: '30 d' is no age"),
        ("max_size: 20", "max_size: 20 is no size"),
        ("protect: [golden/state]", "'golden/state' won't do here"),
    ],
)
def test_what_is_wrong_is_told(wrong: str, says: str) -> None:
    with pytest.raises(TopologyError) as caught:
        retention(f"snapshots: {{{wrong}}}")
    assert says in caught.value.details
