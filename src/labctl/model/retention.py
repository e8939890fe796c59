"""Which of a lab's snapshots are kept: the policy of the topology file, as pure arithmetic.

`keep_last` and `keep_daily` say what is worth keeping; what neither wants is pruned, where one of
them is given. `max_age` and `max_size` are limits: they prune, the oldest first, even what those
would keep. No rule touches what is protected by name, the youngest snapshot, or the one the lab
stands on. An empty policy prunes nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

from labctl.model.snapshot import Manifest, latest_first

_DAY = 86400.0
_NEAR = 0.8
"""The part of a limit from which on it is worth a warning."""
_GIBIBYTE = 1024**3


class Retention(NamedTuple):
    """A lab's policy. None: no such rule. `max_age` in seconds, `max_size` in bytes."""

    keep_last: int | None = None
    keep_daily: int | None = None
    max_age: float | None = None
    max_size: int | None = None
    protect: tuple[str, ...] = ()


class Pruned(NamedTuple):
    """A snapshot that the policy does not keep, and the rule that says so."""

    name: str
    size: int
    reason: str


def to_prune(
    snapshots: Collection[Manifest], policy: Retention, *, now: float, current: str
) -> tuple[Pruned, ...]:
    """What the policy prunes of complete snapshots, the oldest first.

    `now` in seconds since 1970; `current` names the snapshot the lab stands on.
    """
    youngest = latest_first(tuple(snapshots))
    untouchable = {*policy.protect, current, *(each.name for each in youngest[:1])}
    reasons = _beyond_count([each for each in youngest if each.name not in policy.protect], policy)
    for each in youngest:
        if policy.max_age is not None and now - each.clock > policy.max_age:
            reasons.setdefault(each.name, f"older than max_age {told_age(policy.max_age)}")
    reasons = {name: reason for name, reason in reasons.items() if name not in untouchable}
    reasons |= _beyond_size(
        [each for each in youngest if each.name not in reasons], policy, untouchable
    )
    return tuple(
        Pruned(each.name, each.size, reasons[each.name])
        for each in reversed(youngest)
        if each.name in reasons
    )


def nearing(snapshots: Collection[Manifest], policy: Retention, *, now: float) -> tuple[str, ...]:
    """The limits that these snapshots have come near to and still keep, in words."""
    uses = _uses(snapshots, policy, now)
    return tuple(words for used, limit, words in uses if _NEAR * limit <= used <= limit)


def exceeded(snapshots: Collection[Manifest], policy: Retention, *, now: float) -> tuple[str, ...]:
    """The limits that these snapshots are beyond, in words.

    After pruning that is for what no rule touches; of age, what is protected does not count.
    """
    return tuple(words for used, limit, words in _uses(snapshots, policy, now) if used > limit)


def told(policy: Retention) -> str:
    """The policy in words; "" for an empty one."""
    return ", ".join(
        f"{key} {value}"
        for key, value in (
            ("keep_last", policy.keep_last),
            ("keep_daily", policy.keep_daily),
            ("max_age", None if policy.max_age is None else told_age(policy.max_age)),
            ("max_size", policy.max_size and told_size(policy.max_size)),
            ("protect", " ".join(policy.protect) or None),
        )
        if value is not None
    )


def told_age(seconds: float) -> str:
    """A policy's span of time: `30 days`, `12 hours`."""
    number, unit = (seconds / _DAY, "day") if seconds >= _DAY else (seconds / 3600, "hour")
    return f"{number:g} {unit}" if number == 1 else f"{number:g} {unit}s"


def told_size(size: int) -> str:
    """A policy's amount of disk: `20 GiB`, `0.5 GiB`."""
    return f"{size / _GIBIBYTE:.3g} GiB"


def _beyond_count(youngest: Sequence[Manifest], policy: Retention) -> dict[str, str]:
    """What neither keep_last nor keep_daily wants."""
    if policy.keep_last is None and policy.keep_daily is None:
        return {}
    rules = [("keep_last", policy.keep_last), ("keep_daily", policy.keep_daily)]
    given = " and ".join(f"{key} {number}" for key, number in rules if number is not None)
    kept = {each.name for each in youngest[: policy.keep_last or 0]}
    kept |= set(_dailies(youngest)[: policy.keep_daily or 0])
    return {each.name: f"beyond {given}" for each in youngest if each.name not in kept}


def _dailies(youngest: Sequence[Manifest]) -> list[str]:
    """The youngest snapshot of each day (UTC) that has any, the last day first."""
    days: dict[int, str] = {}
    for each in youngest:
        days.setdefault(int(each.clock // _DAY), each.name)
    return list(days.values())


def _beyond_size(
    youngest: Sequence[Manifest], policy: Retention, untouchable: Collection[str]
) -> dict[str, str]:
    """The oldest ones, until the rest fits into max_size."""
    total, reasons = sum(each.size for each in youngest), dict[str, str]()
    for each in reversed(youngest):
        if policy.max_size is None or total <= policy.max_size:
            break
        if each.name not in untouchable:
            reasons[each.name] = f"all together larger than max_size {told_size(policy.max_size)}"
            total -= each.size
    return reasons


def _uses(
    snapshots: Collection[Manifest], policy: Retention, now: float
) -> Iterator[tuple[float, float, str]]:
    """How much of each limit is used, the limit, and both in words."""
    ages = [now - each.clock for each in snapshots if each.name not in policy.protect]
    oldest, size = max(ages, default=0.0), sum(each.size for each in snapshots)
    if (age := policy.max_age) is not None:
        yield oldest, age, f"the oldest is {told_age(oldest)} old, max_age is {told_age(age)}"
    if (most := policy.max_size) is not None:
        yield size, most, f"{told_size(size)} in all, max_size is {told_size(most)}"
