"""The one door to other programs: a deadline on each, a command to paste in each error."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from labctl.errors import DeadlineError, ProcessError

Argument = str | os.PathLike[str]


_inherited: set[int] = set()


@contextmanager
def inheriting(lock: int) -> Iterator[None]:
    """Have programs that `run` starts within the block hold the flock of descriptor `lock` too.

    A run that is killed leaves the program it had started; what that still writes is safe from
    the next run as long as the lock is held.
    """
    _inherited.add(lock)
    try:
        yield
    finally:
        _inherited.discard(lock)


class Completed(NamedTuple):
    """What a program printed and how it ended."""

    returncode: int
    stdout: str
    stderr: str


def run(
    argv: Sequence[Argument],
    *,
    deadline: float,
    check: bool = True,
    env: Mapping[str, str] | None = None,
    input_text: str | None = None,
) -> Completed:
    """Run `argv` (never a shell) for at most `deadline` seconds.

    Raises ProcessError when it can't be started or, with `check`, exits non-zero, and
    DeadlineError when it doesn't end in time (it is killed then).
    """
    import subprocess  # not above: what starts no program need not load it

    words = [os.fspath(word) for word in argv]
    try:
        done = subprocess.run(
            words,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=deadline,
            env=None if env is None else {**os.environ, **env},
            input=input_text,
            stdin=subprocess.DEVNULL if input_text is None else None,
            check=False,
            pass_fds=tuple(_inherited),
        )
    except FileNotFoundError:
        raise ProcessError(shlex.join(words), 127, f"{words[0]}: no such program") from None
    except PermissionError as error:
        raise ProcessError(shlex.join(words), 126, str(error)) from None
    except subprocess.TimeoutExpired:
        raise DeadlineError(
            f"`{shlex.join(words)}` did not end within {deadline:g} s",
            resolution="run it by hand to see what it waits for",
        ) from None
    if check and done.returncode:
        raise ProcessError(shlex.join(words), done.returncode, done.stderr or done.stdout)
    return Completed(done.returncode, done.stdout, done.stderr)
