"""One holder at a time; whoever waits too long is told for what."""

from __future__ import annotations

from pathlib import Path

import pytest

from labctl.errors import DeadlineError
from labctl.filelock import locked


def test_a_held_lock_is_waited_for_no_longer_than_the_deadline(tmp_path: Path) -> None:
    lock = tmp_path / "a.lock"
    with (
        locked(lock, deadline=0.1, what="the store"),
        pytest.raises(DeadlineError, match=r"held the store for 0\.1 s"),
        locked(lock, deadline=0.1, what="the store"),
    ):
        pass


def test_a_lock_is_free_after_an_error_in_its_block(tmp_path: Path) -> None:
    lock = tmp_path / "a.lock"
    with pytest.raises(KeyError), locked(lock, deadline=0.1, what="it"):
        raise KeyError
    with locked(lock, deadline=0.1, what="it"):
        assert lock.exists()
