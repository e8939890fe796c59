"""What a console log said, in words and as JSON."""

from __future__ import annotations

from typing import Any

from labctl.ops.replay import Moment, Replay
from labctl.report.paint import Cell, Paint, clean, table

_STYLES = {"phase": "bold", "prompt": "", "fault": "bad"}
_KEYS = {"phase": ("name", ""), "prompt": ("kind", "answer"), "fault": ("kind", "line")}


def replay_data(result: Replay) -> dict[str, Any]:
    """`phases`, `prompts`, `faults` and `ended`; each moment has a `time` where the log has one."""
    lists = {
        f"{what}s": [_moment(moment) for moment in result.moments if moment.what == what]
        for what in _KEYS
    }
    return {**lists, "ended": result.ended}


def _moment(moment: Moment) -> dict[str, Any]:
    name, detail = _KEYS[moment.what]
    data: dict[str, Any] = {name: moment.name, "offset": moment.offset}
    if detail:
        data[detail] = moment.detail
    if moment.time:
        data["time"] = moment.time
    return data


def replay_lines(result: Replay, paint: Paint) -> list[str]:
    """A table of all moments in order, and how it ended."""
    timed = any(moment.time for moment in result.moments)
    header = ("offset", *(("time",) if timed else ()), "what", "which", "")
    rows = [_row(moment, timed=timed) for moment in result.moments]
    good = result.ended == "ready"
    ended = f"ended: {paint('good' if good else 'bad', result.ended)}"
    return [*table(header, rows, paint), "", ended] if rows else [ended]


def _row(moment: Moment, *, timed: bool) -> list[str | Cell]:
    style = _STYLES[moment.what]
    detail = f"answer: {moment.detail}" if moment.what == "prompt" and moment.detail else ""
    return [
        str(moment.offset),
        *((moment.time,) if timed else ()),
        Cell(moment.what, style),
        Cell(moment.name, style),
        detail if moment.what == "prompt" else clean(moment.detail),
    ]
