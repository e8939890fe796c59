import io

from labctl.ops.events import (
    Converging,
    Event,
    Notice,
    PhaseEntered,
    PlanMade,
    Progress,
    StepDone,
    StepFailed,
    StepStarted,
)
from labctl.plan.model import Action, ActionKind, Plan
from labctl.report.paint import Paint
from labctl.report.progress import Lines, progress, waits

EVENTS: list[Event] = [
    PlanMade(Plan("lab", (Action(ActionKind.RESTART, "leaf-1", "memory changed"),), ("leaf-2",))),
    StepStarted("boot", "leaf-1"),
    PhaseEntered("leaf-1", "kernel", 1.25),
    StepDone("boot", 12.3, "leaf-1", "ready"),
    StepFailed("boot", 60.0, "leaf-2", "no login\x1b[2J"),
    Notice("KVM is not used"),
    Converging(7, 12.0),
    Converging(1, 14.0),
]


def told(*, verbose: bool) -> list[str]:
    clock = iter([100.0, *[100.0 + n for n in range(len(EVENTS))]])
    stream = io.StringIO()
    sink = Lines(stream, Paint(), verbose=verbose, clock=lambda: next(clock))
    for event in EVENTS:
        sink(event)
    return stream.getvalue().splitlines()


def test_every_line_stands_for_itself_with_its_time() -> None:
    assert told(verbose=False) == [
        "[   0.0 s] plan of lab: 1 action",
        "[   0.0 s]   do       node    because",
        "[   0.0 s]   restart  leaf-1  memory changed",
        "[   0.0 s]   untouched: leaf-2",
        "[   2.0 s] leaf-1: kernel after 1.2 s",
        "[   3.0 s] leaf-1: boot done in 12 s: ready",
        "[   4.0 s] leaf-2: boot failed after 1 min 0 s: no login�[2J",
        "[   5.0 s] KVM is not used",
        "[   6.0 s] waiting to converge: 7 checks fail yet",
        "[   7.0 s] waiting to converge: 1 check fails yet",
    ]


def test_verbose_tells_beginnings_too() -> None:
    assert set(told(verbose=True)) - set(told(verbose=False)) == {"[   1.0 s] leaf-1: boot ..."}


def test_quiet_tells_nothing() -> None:
    stream = io.StringIO()
    with progress(stream, Paint(), quiet=True) as sink:
        for event in EVENTS:
            sink(event)
    assert stream.getvalue() == ""


def test_commands_that_ask_tell_what_they_wait_for_and_no_more() -> None:
    stream = io.StringIO()
    sink = waits(stream, Paint())
    for event in EVENTS:
        sink(event)
    told = [line.partition("] ")[2] for line in stream.getvalue().splitlines()]
    assert told == [
        "KVM is not used",
        "waiting to converge: 7 checks fail yet",
        "waiting to converge: 1 check fails yet",
    ]
    waits(stream, Paint(), quiet=True)(EVENTS[-1])
    assert len(stream.getvalue().splitlines()) == len(told)


class Gone(io.StringIO):
    def write(self, _text: str) -> int:
        raise BrokenPipeError


def test_a_reader_that_went_away_does_not_stop_the_run() -> None:
    with progress(Gone(), Paint()) as sink:
        sink(Notice("still at work"))


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_the_live_view_shows_each_node_where_it_is() -> None:
    screen = Terminal()
    with progress(screen, Paint()) as sink:
        for event in EVENTS:
            sink(event)
    last = screen.getvalue()
    assert "✓ leaf-1" in last
    assert "boot failed: no login" in last
    assert "KVM is not used" in last
    assert "waiting to converge: 7 checks fail yet" in last
    assert "\x1b[2J" not in last


def test_how_far_a_step_is_comes_every_few_seconds() -> None:
    times = iter([0.0, 0.25, 5.5, 5.5, 6.0, 10.6, 10.6])
    stream = io.StringIO()
    sink = Lines(stream, Paint(), verbose=False, clock=lambda: next(times))
    for done in (0, 1 << 30, 3 << 29, 2 << 30):
        sink(Progress("copy", done, 2 << 30))
    assert stream.getvalue().splitlines() == [
        "[   5.5 s] copy: 50 % of 2.0 GiB",
        "[  10.6 s] copy: 100 % of 2.0 GiB",
    ]


def test_the_live_view_draws_a_bar_for_each_step() -> None:
    screen = Terminal()
    with progress(screen, Paint()) as sink:
        sink(Progress("copy", 5 << 20, 5 << 20))
        sink(Progress("hash", 1 << 20, 5 << 20))
    last = screen.getvalue()
    assert "copy     " + "━" * 30 + " 100 % of 5.0 MiB" in last
    assert "20 % of 5.0 MiB" in last
