"""`hygiene --fix`: the safe mends, one journaled step at a time, each under its lab's lock.

What is mended is looked at again first: a finding may be minutes old.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from labctl.errors import Interrupted, LabctlError
from labctl.filelock import locked
from labctl.images.store import ImageStore
from labctl.model.hygiene import Mend, Mended, MendKind
from labctl.ops.context import Context
from labctl.ops.events import Notice
from labctl.ops.hygiene import OPERATION, look
from labctl.ops.journal import Journal, unfinished
from labctl.ops.lock import lab_lock, remove_stale
from labctl.ops.merge import merge
from labctl.ops.recover import recover

_LOCK_SECONDS = 10.0
_STILL = 3600.0
"""Seconds for which a file outside the labs must not have been written to."""


def mend_all(ctx: Context, mends: Sequence[Mend], also: Sequence[str] = ()) -> tuple[Mended, ...]:
    """Do all of `mends`; one that fails keeps no other back. Raises Interrupted between two."""
    done: list[Mended] = []
    for lab in dict.fromkeys(mend.lab for mend in mends):
        mine = [mend for mend in mends if mend.lab == lab]
        try:
            with _journal(ctx, lab) as journal:
                for mend in mine:
                    _raise_if_interrupted(ctx, done, len(mends))
                    done.append(_mend(ctx, journal, mend, also))
        except Interrupted:
            raise
        except LabctlError as error:
            tried = {each.mend for each in done}
            done += [_failed(mend, error) for mend in mine if mend not in tried]
    return tuple(done)


@contextmanager
def _journal(ctx: Context, lab: str) -> Iterator[Journal]:
    """The lab's journal under its lock; of mends in no lab, one of labctl's folder."""
    if not lab:
        ctx.home.cache.mkdir(parents=True, exist_ok=True)
        lock = ctx.home.cache / "hygiene.lock"
        with (
            locked(lock, deadline=_LOCK_SECONDS, what="the mending of labctl's folder"),
            Journal(ctx.home.cache / "hygiene.jsonl", OPERATION) as journal,
        ):
            yield journal
        return
    paths = ctx.home.lab(lab)
    with lab_lock(ctx.home, lab, f"{OPERATION} --fix"):
        left = [step for step in unfinished(paths.journal) if step.operation != OPERATION]
        if left:
            raise LabctlError(
                f"lab {lab} was left half-made by a run that was cut off in {left[0]}",
                resolution=f"`labctl up {lab}` (or destroy) first, then `labctl hygiene --fix`",
            )
        recover(ctx, paths)
        with Journal(paths.journal, OPERATION) as journal:
            yield journal


def _mend(ctx: Context, journal: Journal, mend: Mend, also: Sequence[str]) -> Mended:
    ctx.emit(Notice(str(mend), mend.node))
    try:
        with journal.step(mend.kind.value, mend.node):
            words = _HOW[mend.kind](ctx, mend, also)
    except LabctlError as error:
        return _failed(mend, error)
    except OSError as error:
        return Mended(mend, error=f"{error.filename or mend.subject}: {error.strerror}")
    return Mended(mend, words)


def _failed(mend: Mend, error: LabctlError) -> Mended:
    return Mended(mend, error=error.brief, advice=error.resolution)


def _raise_if_interrupted(ctx: Context, done: Sequence[Mended], total: int) -> None:
    if ctx.interrupt.is_set():
        raise Interrupted(
            f"hygiene was interrupted after {len(done)} of {total} mends",
            details="; ".join(str(each.mend) for each in done),
            resolution="`labctl hygiene --fix` takes it on",
        )


def _merge(ctx: Context, mend: Mend, also: Sequence[str]) -> str:
    node = ctx.home.lab(mend.lab).node(mend.node)
    with contextlib.closing(ctx.connect(mend.uri)) as hypervisor:
        return merge(hypervisor, lambda: look(ctx, also), node, mend)


def _remove_file(_ctx: Context, mend: Mend, _also: Sequence[str]) -> str:
    path = Path(mend.subject)
    try:
        age = time.time() - path.stat().st_mtime
    except FileNotFoundError:
        return "was gone already"
    if not mend.lab and age < _STILL:
        raise LabctlError(f"{path} was written to {age:.0f} s ago: somebody is at it")
    path.unlink()
    return "removed"


def _remove_folder(_ctx: Context, mend: Mend, _also: Sequence[str]) -> str:
    with contextlib.suppress(FileNotFoundError):
        Path(mend.subject).rmdir()
    return "removed"


def _remove_lock(_ctx: Context, mend: Mend, _also: Sequence[str]) -> str:
    remove_stale(Path(mend.subject))
    return "removed"


def _verify_image(ctx: Context, mend: Mend, _also: Sequence[str]) -> str:
    store = ImageStore(ctx.home.images)
    if wrong := store.verify(store.get(mend.subject)):
        raise LabctlError(
            f"image {mend.subject} is damaged: {'; '.join(wrong)}",
            resolution=f"labctl image verify {mend.subject}",
        )
    return "read whole: it is what was imported"


def _end_journal(_ctx: Context, _mend: Mend, _also: Sequence[str]) -> str:
    return "nothing was left to do"


_HOW: Mapping[MendKind, Callable[[Context, Mend, Sequence[str]], str]] = {
    MendKind.MERGE: _merge,
    MendKind.REMOVE_FILE: _remove_file,
    MendKind.REMOVE_FOLDER: _remove_folder,
    MendKind.REMOVE_LOCK: _remove_lock,
    MendKind.VERIFY_IMAGE: _verify_image,
    MendKind.END_JOURNAL: _end_journal,
}
