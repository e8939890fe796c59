"""Following a console log: growth, truncation, rotation, a file that is not there yet."""

from __future__ import annotations

from pathlib import Path

import pytest

from labctl.console.logtail import CHUNK, LogTail, follow
from labctl.errors import HypervisorError


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "console.log"


def append(path: Path, data: bytes) -> None:
    with path.open("ab") as stream:
        stream.write(data)


def test_only_what_is_new_is_read(log: Path) -> None:
    with LogTail(log) as tail:
        assert tail.read_new() == b""
        append(log, b"one")
        assert tail.read_new() == b"one"
        assert tail.read_new() == b""
        append(log, b" two")
        assert tail.read_new() == b" two"
        assert tail.offset == 7


def test_reading_starts_at_the_offset_given(log: Path) -> None:
    append(log, b"old new")
    with LogTail(log, offset=4) as tail:
        assert tail.read_new() == b"new"


def test_a_truncated_file_is_read_from_its_start(log: Path) -> None:
    append(log, b"a long first boot")
    with LogTail(log) as tail:
        tail.read_new()
        log.write_bytes(b"second")
        assert tail.read_new() == b"second"


def test_a_rotated_file_is_read_to_its_end_then_the_new_one(log: Path) -> None:
    append(log, b"one")
    with LogTail(log) as tail:
        assert tail.read_new() == b"one"
        append(log, b" last words")
        log.rename(log.with_suffix(".log.0"))
        log.write_bytes(b"new file")
        assert tail.read_new() == b" last words"
        assert tail.read_new() == b"new file"


def test_a_file_replaced_by_rename_is_followed(log: Path) -> None:
    append(log, b"one")
    with LogTail(log) as tail:
        tail.read_new()
        other = log.with_name("other")
        other.write_bytes(b"two")
        other.replace(log)
        assert tail.read_new() == b"two"


def test_a_removed_file_is_waited_for(log: Path) -> None:
    append(log, b"one")
    with LogTail(log) as tail:
        tail.read_new()
        log.unlink()
        assert tail.read_new() == b""
        append(log, b"again")
        assert tail.read_new() == b"again"


def test_much_is_read_in_bounded_pieces(log: Path) -> None:
    append(log, b"x" * (CHUNK + 1))
    with LogTail(log) as tail:
        assert [len(tail.read_new()), len(tail.read_new()), len(tail.read_new())] == [CHUNK, 1, 0]


def test_following_sleeps_between_looks_and_gives_what_is_left_at_the_end(log: Path) -> None:
    naps: list[float] = []

    def nap(seconds: float) -> None:
        naps.append(seconds)
        append(log, b"piece %d" % len(naps))

    with LogTail(log) as tail:
        pieces = list(follow(tail, done=lambda: len(naps) == 2, poll=0.5, sleep=nap))
    assert pieces == [b"piece 1", b"piece 2"]
    assert naps == [0.5, 0.5]


def test_a_log_that_may_not_be_read_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(HypervisorError, match="can't read the recorded console"):
        LogTail(tmp_path / "console.log").read_new()
