"""Kill a run of labctl at an exact place, with no cleanup, and keep what the fake had by then.

The run happens in a forked child whose kill points are counted: every record of the journal,
every file put in its place or removed, and every call that changes the hypervisor, before and
after it takes effect. At the chosen one the child saves the fake's state and is gone.
"""

from __future__ import annotations

import os
import pickle
import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from harness.fake import FakeHypervisor

CHANGING = (
    "define",
    "start",
    "destroy",
    "undefine",
    "define_network",
    "remove_network",
    "resume",
    "suspend",
    "save_memory",
    "restore_memory",
    "block_commit",
    "delete_snapshot",
)
_STATE = ("_domains", "_networks", "_uuids", "foreign")
_DONE, _KILLED, _FAILED = 0, 77, 1


def killed_at(fake: FakeHypervisor, place: int, folder: Path, job: Callable[[], object]) -> bool:
    """Run `job` in a child and kill it at its `place`-th kill point; False when it has fewer.

    The fake in this process then has the state that the child's had.
    """
    saved = folder / "fake.pickle"
    child = os.fork()
    if child == 0:
        _in_child(fake, place, saved, job)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert code in (_DONE, _KILLED), f"the run failed before its place {place} of death"
    for name, value in pickle.loads(saved.read_bytes()).items():
        setattr(fake, name, value)
    saved.unlink()
    return code == _KILLED


def _in_child(fake: FakeHypervisor, place: int, saved: Path, job: Callable[[], object]) -> None:
    """Never returns, so that no code of the parent's (pytest's) runs twice."""
    try:
        _Executioner(fake, place, saved).lie_in_wait()
        job()
        _save(fake, saved)
        os._exit(_DONE)
    finally:
        os._exit(_FAILED)


class _Executioner:
    def __init__(self, fake: FakeHypervisor, place: int, saved: Path) -> None:
        self._fake = fake
        self._left = place
        self._saved = saved
        self._counting = threading.Lock()

    def lie_in_wait(self) -> None:
        """Replace what counts as a kill point, in this process alone."""
        for module, name in (
            (os, "fdatasync"),
            (os, "replace"),
            (os, "unlink"),
            (shutil, "rmtree"),
        ):
            setattr(module, name, self._then_maybe_kill(getattr(module, name)))
        for method in CHANGING:
            self._fake.faults.at(method, self._maybe_kill, call=0)
            self._fake.faults.at(method, self._maybe_kill, call=0, after=True)

    def _then_maybe_kill(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def replaced(*args: Any, **options: Any) -> Any:
            result = function(*args, **options)
            self._maybe_kill()
            return result

        return replaced

    def _maybe_kill(self) -> None:
        with self._counting:
            self._left -= 1
            if self._left == 0:
                _save(self._fake, self._saved)
                os._exit(_KILLED)


def _save(fake: FakeHypervisor, saved: Path) -> None:
    with fake._lock:
        saved.write_bytes(pickle.dumps({name: getattr(fake, name) for name in _STATE}))
