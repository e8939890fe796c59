"""The alarm: once after the time asked for, then anew; not at all when nothing is asked."""

from __future__ import annotations

from labctl.ops.alarm import Alarm


def test_due_once_and_then_anew() -> None:
    alarm = Alarm()
    seen = [alarm.is_due(10.0, now) for now in (0.0, 9.9, 10.0, 10.1, 20.0, 20.1)]
    assert seen == [False, False, True, False, False, True]


def test_what_is_not_asked_for_any_more_starts_over() -> None:
    alarm = Alarm()
    assert not alarm.is_due(10.0, 0.0)
    assert not alarm.is_due(None, 5.0)
    assert not alarm.is_due(10.0, 11.0)
    assert alarm.is_due(10.0, 21.0)
