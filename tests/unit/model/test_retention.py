"""The policy: it prunes what it says and never what it must not."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labctl.model.retention import Pruned, Retention, exceeded, nearing, to_prune, told, told_age
from labctl.model.snapshot import Kind, Manifest, Part, PartFile, Power

DAY = 86400.0
NOW = 100.5 * DAY
GIB = 1024**3


def snapshot(name: str, clock: float, size: int = GIB) -> Manifest:
    part = Part("a", "lab.a", Power.OFF, 1, 1, "", "", "", {"memory": PartFile(size, "")})
    return Manifest(
        lab="lab", name=name, kind=Kind.MANUAL, description="", created="", clock=clock, parent="",
        with_memory=True, labctl="0", qemu="", libvirt="", uri="", running=(), complete=True,
        parts=(part,),
    )  # fmt: skip


def daily(*ages: float) -> list[Manifest]:
    """Named after their age in days."""
    return [snapshot(f"{age:g}", NOW - age * DAY) for age in ages]


def pruned(snapshots: Sequence[Manifest], policy: Retention, current: str = "") -> list[str]:
    return [each.name for each in to_prune(snapshots, policy, now=NOW, current=current)]


def test_nothing_is_pruned_without_a_policy() -> None:
    assert pruned(daily(0, 1, 1000), Retention()) == []
    assert to_prune([], Retention(keep_last=1, max_size=1), now=NOW, current="") == ()


@pytest.mark.parametrize(
    ("policy", "gone"),
    [
        (Retention(keep_last=2), ["5", "4", "1.2", "1.1"]),
        (Retention(keep_daily=2), ["5", "4", "1.2", "0.1"]),
        (Retention(keep_last=1, keep_daily=3), ["5", "1.2", "0.1"]),
        (Retention(max_age=4.5 * DAY), ["5"]),
        (Retention(max_size=4 * GIB), ["5", "4"]),
        (Retention(max_size=4 * GIB, protect=("5",)), ["4", "1.2"]),
        (Retention(keep_last=2, protect=("4", "0")), ["5", "1.2"]),
        (Retention(keep_last=10, max_age=1.15 * DAY), ["5", "4", "1.2"]),
    ],
)
def test_what_a_rule_prunes(policy: Retention, gone: list[str]) -> None:
    # it is noon: 1.1 and 1.2 are both of yesterday
    assert pruned(daily(0, 0.1, 1.1, 1.2, 4, 5), policy) == gone


def test_the_reason_is_told() -> None:
    reasons = to_prune(
        daily(0, 10, 40),
        Retention(keep_last=2, max_size=GIB, max_age=30 * DAY),
        now=NOW,
        current="",
    )
    assert reasons == (
        Pruned("40", GIB, "beyond keep_last 2"),
        Pruned("10", GIB, "all together larger than max_size 1 GiB"),
    )


policies = st.builds(
    Retention,
    keep_last=st.none() | st.integers(1, 6),
    keep_daily=st.none() | st.integers(1, 6),
    max_age=st.none() | st.floats(1, 20 * DAY),
    max_size=st.none() | st.integers(1, 20 * GIB),
    protect=st.lists(st.sampled_from([str(n) for n in range(12)])).map(tuple),
)
histories = st.lists(st.tuples(st.floats(0, 20 * DAY), st.integers(0, 3 * GIB)), max_size=12).map(
    lambda all_: [snapshot(str(n), NOW - age, size) for n, (age, size) in enumerate(all_)]
)
currents = st.sampled_from(["", *(str(n) for n in range(12))])


@given(histories, policies, currents)
def test_what_must_stay_stays(history: list[Manifest], policy: Retention, current: str) -> None:
    gone = pruned(history, policy, current)
    left = [each for each in history if each.name not in gone]
    assert not {current, *policy.protect} & set(gone)
    assert bool(left) == bool(history)
    youngest = max(history, key=lambda each: (each.clock, each.name), default=None)
    assert youngest is None or youngest.name not in gone


@given(histories, policies, currents)
def test_pruned_once_is_pruned_for_good(
    history: list[Manifest], policy: Retention, current: str
) -> None:
    gone = pruned(history, policy, current)
    left = [each for each in history if each.name not in gone]
    assert pruned(left, policy, current) == []


@given(histories, policies)
def test_limits_hold_for_what_may_be_pruned(history: list[Manifest], policy: Retention) -> None:
    gone = pruned(history, policy)
    left = [each for each in history if each.name not in gone]
    free = [each for each in left if each.name not in policy.protect]
    if policy.max_size is not None and sum(each.size for each in left) > policy.max_size:
        assert len(free) <= 1
    if policy.max_age is not None:
        assert sum(NOW - each.clock > policy.max_age for each in free) <= 1
    if policy.keep_last is not None and policy.keep_daily is None:
        assert len(free) <= policy.keep_last + 1


@given(histories, st.integers(1, 12))
def test_keep_last_keeps_as_many(history: list[Manifest], number: int) -> None:
    assert len(history) - len(pruned(history, Retention(keep_last=number))) == min(
        number, len(history)
    )


def test_a_limit_is_told_from_four_fifths_on() -> None:
    policy = Retention(keep_last=5, max_age=10 * DAY, max_size=5 * GIB)
    assert nearing(daily(0, 1, 2), policy, now=NOW) == ()
    assert nearing(daily(0, 1, 2, 8), policy, now=NOW) == (
        "the oldest is 8 days old, max_age is 10 days",
        "4 GiB in all, max_size is 5 GiB",
    )
    assert nearing(daily(0, 1, 2, 8), Retention(), now=NOW) == ()


def test_beyond_a_limit_is_not_near_it() -> None:
    policy = Retention(max_age=10 * DAY, max_size=2 * GIB, protect=("40",))
    assert exceeded(daily(0, 40), policy, now=NOW) == ()
    assert nearing(daily(0, 40), policy, now=NOW) == ("2 GiB in all, max_size is 2 GiB",)
    left = daily(11, 12, 40)
    assert nearing(left, policy, now=NOW) == ()
    assert exceeded(left, policy, now=NOW) == (
        "the oldest is 12 days old, max_age is 10 days",
        "3 GiB in all, max_size is 2 GiB",
    )
    assert exceeded(left, Retention(), now=NOW) == ()


def test_spans_as_people_write_them() -> None:
    assert [told_age(hours * 3600.0) for hours in (1, 12, 24, 720)] == [
        "1 hour",
        "12 hours",
        "1 day",
        "30 days",
    ]


def test_a_policy_in_words() -> None:
    assert told(Retention()) == ""
    policy = Retention(10, 7, 0.0, 20 * GIB, ("golden", "other"))
    assert told(policy) == (
        "keep_last 10, keep_daily 7, max_age 0 hours, max_size 20 GiB, protect golden other"
    )
