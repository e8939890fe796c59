"""A conversation with a program, with ends to every wait."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from labctl.errors import DeadlineError, ProcessError
from labctl.process import conversation

ECHO = [sys.executable, "-uc", "import sys\nfor line in sys.stdin: print('heard', line, end='')"]
END = b"end\n"


def test_it_is_asked_more_than_once() -> None:
    with conversation(ECHO) as talk:
        assert talk.ask(b"one\nend\n", until=b"heard end\n", deadline=20) == b"heard one\n"
        assert talk.ask(b"\xff\nend\n", until=b"heard end\n", deadline=20) == b"heard \xff\n"


def test_the_environment_is_added_to() -> None:
    words = [sys.executable, "-c", "import os; print(os.environ['OWN'], 'PATH' in os.environ)"]
    with conversation(words, env={"OWN": "yes"}) as talk:
        assert talk.ask(b"", until=b"\n", deadline=20) == b"yes True"


def test_silence_ends_at_the_deadline_and_the_program_with_it(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    words = [
        sys.executable,
        "-c",
        f"import os, time; open({str(pid)!r}, 'w').write(str(os.getpid()))"
        "; print('up', flush=True); time.sleep(60)",
    ]
    started = time.monotonic()
    with conversation(words) as talk:
        talk.ask(b"", until=b"up\n", deadline=20)
        with pytest.raises(DeadlineError, match="did not answer"):
            talk.ask(b"well?\n", until=END, deadline=0.2)
    assert time.monotonic() - started < 8
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text()), 0)


def test_a_program_that_ends_is_told_with_its_last_words() -> None:
    words = [sys.executable, "-c", "print('no disk'); raise SystemExit(3)"]
    with pytest.raises(ProcessError) as caught, conversation(words) as talk:
        talk.ask(b"", until=END, deadline=20)
    assert "no disk" in caught.value.details


def test_a_program_that_never_stops_printing_is_stopped() -> None:
    with pytest.raises(ProcessError), conversation(["yes", "x" * 1000]) as talk:
        talk.ask(b"", until=END, deadline=60)


def test_a_program_that_isn_t_there() -> None:
    with pytest.raises(ProcessError) as caught, conversation(["/no/such/program"]):
        pass
    assert caught.value.returncode == 127
