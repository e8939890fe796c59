"""What a killed run leaves is found; what ended by itself is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from labctl.ops.journal import Journal, unfinished


def test_no_journal_means_nothing_unfinished(tmp_path: Path) -> None:
    assert unfinished(tmp_path / "journal.jsonl") == ()


def test_ended_run_is_finished(tmp_path: Path) -> None:
    path = tmp_path / "lab" / "journal.jsonl"
    with Journal(path, "up") as journal, journal.step("define", "leaf-1"):
        pass
    assert unfinished(path) == ()


def test_failed_run_ended_by_itself(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    with pytest.raises(RuntimeError), Journal(path, "up") as journal, journal.step("define"):
        raise RuntimeError
    assert unfinished(path) == ()


def test_killed_in_a_step(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    journal = Journal(path, "up")
    journal.__enter__()
    with journal.step("define", "spine-1"):
        pass
    step = journal.step("define", "leaf-1")
    step.__enter__()
    (cut,) = unfinished(path)
    assert str(cut) == "up: define of leaf-1"


def test_killed_between_steps(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    Journal(path, "destroy").__enter__()
    assert [str(cut) for cut in unfinished(path)] == ["destroy: between two steps"]


def test_torn_line_is_no_step(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    Journal(path, "up").__enter__()
    with path.open("a") as file:
        file.write('{"begin": 0, "step": "def')
    assert [str(cut) for cut in unfinished(path)] == ["up: between two steps"]


def test_next_run_starts_anew(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    Journal(path, "up").__enter__()
    with Journal(path, "destroy"):
        pass
    assert unfinished(path) == ()
