"""How far a copy or a hash has come, told while it goes on."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from labctl.errors import Interrupted
from labctl.images.transfer import allocated

Told = Callable[[str, int, int], None]
"""Called with a step's name, bytes done and bytes in all; from any thread."""
_EVERY = 0.25


def nobody(_step: str, _done: int, _total: int) -> None:
    """A Told that tells nobody."""


@contextmanager
def watched(path: Path, total: int, step: str, told: Told) -> Iterator[None]:
    """Within this block another program writes `path`: tell how much of it is there.

    `total` may be a guess: more than that is never told, and all of it when the block ends well.
    """
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(_EVERY):
            with suppress(OSError, Interrupted):  # not there yet; the main thread ends it
                told(step, min(allocated(path), total), total)

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        ended.set()
        watcher.join()
    told(step, total, total)
