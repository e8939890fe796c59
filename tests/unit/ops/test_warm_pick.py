"""Reading kept states ahead: what a run that fails leaves of it."""

from __future__ import annotations

from threading import Event, Timer

from labctl.ops import warm_pick
from labctl.ops.warm_pick import reading


def test_a_run_that_ends_waits_for_no_reading_that_has_not_begun() -> None:
    gate = Event()
    with reading() as pool:
        begun = [pool.submit(gate.wait, 30.0) for _ in range(warm_pick._WIDTH)]
        left = pool.submit(gate.wait, 30.0)
        Timer(0.1, gate.set).start()
    assert left.cancelled()
    assert all(future.result() for future in begun)
