"""The one door to other programs: a deadline on each, a command to paste in each error."""

from __future__ import annotations

import os
import shlex
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, NamedTuple

from labctl.errors import DeadlineError, LabctlError, ProcessError

if TYPE_CHECKING:
    import subprocess

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


_MOST_OUTPUT = 64 << 20
_ENDING_SECONDS = 10.0


class Conversation:
    """A running program that is asked line by line."""

    def __init__(self, command: str, running: subprocess.Popen[bytes]) -> None:
        self._command = command
        self._running = running
        self._stdin, self._stdout = _piped(running.stdin), _piped(running.stdout)

    def ask(self, lines: bytes, *, until: bytes, deadline: float) -> bytes:
        """Write `lines`; what the program prints before `until`, which must end it.

        Raises DeadlineError when that does not come within `deadline` seconds, ProcessError when
        the program ends or never stops printing; it is ended then.
        """
        try:
            return self._ask(lines, until, deadline)
        except LabctlError:
            self._running.terminate()
            raise

    def _ask(self, lines: bytes, until: bytes, deadline: float) -> bytes:
        try:
            self._stdin.write(lines)
            self._stdin.flush()
        except OSError as error:
            raise ProcessError(self._command, self._running.poll() or 1, str(error)) from None
        end, heard = time.monotonic() + deadline, bytearray()
        while not heard.endswith(until):
            if not (chunk := self._read(end, deadline)) or len(heard) > _MOST_OUTPUT:
                told = bytes(heard[-4096:]).decode(errors="replace")
                raise ProcessError(self._command, self._running.poll() or 1, told)
            heard += chunk
        return bytes(heard[: -len(until)])

    def _read(self, end: float, deadline: float) -> bytes:
        import select  # as subprocess: few runs need it

        descriptor = self._stdout.fileno()
        if not select.select([descriptor], [], [], max(0.0, end - time.monotonic()))[0]:
            raise DeadlineError(
                f"`{self._command}` did not answer within {deadline:g} s",
                resolution="run it by hand to see what it waits for",
            )
        return os.read(descriptor, 65536)


@contextmanager
def conversation(
    argv: Sequence[Argument], *, env: Mapping[str, str] | None = None
) -> Iterator[Conversation]:
    """Run `argv` (never a shell) to be asked; what it writes to stderr is part of its answers.

    At the end of the block its input is closed; it is killed when it does not end by that. Raises
    ProcessError when it can't be started.
    """
    import subprocess

    words = [os.fspath(word) for word in argv]
    try:
        running = subprocess.Popen(
            words,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=None if env is None else {**os.environ, **env},
            pass_fds=tuple(_inherited),
        )
    except OSError as error:
        raise ProcessError(shlex.join(words), 127, f"{words[0]}: {error.strerror}") from None
    failed = True
    try:
        yield Conversation(shlex.join(words), running)
        failed = False
    finally:
        _end(running, at_once=failed)


def _end(running: subprocess.Popen[bytes], *, at_once: bool) -> None:
    """Close the program's input and wait for its end, or end it."""
    import contextlib
    import subprocess

    with contextlib.suppress(OSError):  # what it never read
        _piped(running.stdin).close()
    if at_once:
        running.terminate()
    try:
        running.wait(_ENDING_SECONDS)
    except subprocess.TimeoutExpired:
        running.kill()
        running.wait()
    _piped(running.stdout).close()


def _piped(stream: IO[bytes] | None) -> IO[bytes]:
    assert stream is not None, "started with a pipe"
    return stream
