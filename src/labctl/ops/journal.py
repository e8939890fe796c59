"""The lab's write-ahead journal: what a run is about to do, on disk before it does it.

One JSON object a line, appended and synced. A run that was killed leaves a `begin` without its
`end`; the next run reads that, puts it right and says so, and only then starts a journal of its
own. States are never taken from the journal (the hypervisor is the record), only what to look at.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple


class Unfinished(NamedTuple):
    """A step that was begun and not ended."""

    operation: str
    step: str
    node: str

    def __str__(self) -> str:
        return f"{self.operation}: {self.step}" + (f" of {self.node}" if self.node else "")


class Journal:
    """The journal of one run. Only its lab's lock holder may write; steps may come from threads."""

    def __init__(self, path: Path, operation: str) -> None:
        self._path = path
        self._operation = operation
        self._mutex = threading.Lock()
        self._next = 0

    def __enter__(self) -> Journal:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.write_text("")
        self._append({"run": "begin", "operation": self._operation, "pid": os.getpid()})
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        # A failed run has undone or named what it left; only a killed one ends without a word.
        if self._path.parent.exists():
            self._append({"run": "end", "ok": kind is None})

    @contextmanager
    def step(self, step: str, node: str = "") -> Iterator[None]:
        """Write the intent, do the body, write that it is done.

        A body that raises has cleaned up after itself, so the step counts as ended then too.
        """
        with self._mutex:
            number = self._next
            self._next += 1
        self._append({"begin": number, "step": step, "node": node})
        try:
            yield
        finally:
            self._append({"end": number})

    def _append(self, record: dict[str, Any]) -> None:
        from datetime import UTC, datetime  # only needed here; `labctl status` reads alone

        record["time"] = datetime.now(UTC).isoformat(timespec="milliseconds")
        line = json.dumps(record) + "\n"
        with self._mutex:
            descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
            try:
                os.write(descriptor, line.encode())
                os.fdatasync(descriptor)
            finally:
                os.close(descriptor)


def unfinished(path: Path) -> tuple[Unfinished, ...]:
    """What the last run left half-done; empty when it ended by itself or there was none.

    A torn last line (power cut while writing) is skipped: its step had not been begun.
    """
    operation, open_steps = "", dict[int, dict[str, Any]]()
    ended = True
    for record in _records(path):
        if record.get("run") == "begin":
            operation, open_steps, ended = str(record.get("operation")), {}, False
        elif "run" in record:
            ended = True
        elif "begin" in record:
            open_steps[record["begin"]] = record
        else:
            open_steps.pop(record.get("end", -1), None)
    if ended:
        return ()
    if not open_steps:
        return (Unfinished(operation, "between two steps", ""),)
    return tuple(Unfinished(operation, str(s["step"]), str(s["node"])) for s in open_steps.values())


def _records(path: Path) -> Iterator[dict[str, Any]]:
    try:
        text = path.read_text(errors="replace")
    except FileNotFoundError:
        return
    for line in text.splitlines():
        try:
            record = json.loads(line)
        except ValueError:
            continue
        if isinstance(record, dict):
            yield record
