"""What `labctl hygiene` asks, does, prints, and ends with."""

from __future__ import annotations

import io
import json
import sys

import pytest

from harness.results import Replace
from labctl.cli.main import main
from labctl.errors import ExitCode
from labctl.model.hygiene import Finding, HygieneReport, Mend, Mended, MendKind, Severity

PART = Mend(MendKind.REMOVE_FILE, "/x.part")
NOTE = Finding("room", Severity.NOTE, "home", "half full", "")
WARN = Finding("leftover", Severity.WARN, "/x.part", "half-written", "", "rm /x.part", {}, PART)
CLEAN = HygieneReport(("test:///default",), (NOTE,))
DIRTY = HygieneReport(("test:///default",), (WARN, NOTE))
DONE = (Mended(PART, "removed"),)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("report", "code"), [(CLEAN, 0), (DIRTY, 9)])
def test_cron_goes_by_the_exit_code(
    report: HygieneReport, code: int, operation: Replace, capsys: pytest.CaptureFixture[str]
) -> None:
    operation("hygiene.hygiene", report)
    assert main(["hygiene", "--json"]) == code
    document = json.loads(capsys.readouterr().out)
    assert document["clean"] is (code == 0)
    assert len(document["findings"]) == len(report.findings)


def test_more_hypervisors_can_be_named(operation: Replace) -> None:
    calls = operation("hygiene.hygiene", CLEAN)
    assert main(["--connect", "u", "hygiene", "--also", "v", "--also", "w"]) == 0
    ((context, also), _) = calls[0]
    assert (context.uri, also) == ("u", ("v", "w"))


def test_fix_without_a_terminal_wants_a_yes(operation: Replace) -> None:
    operation("hygiene.hygiene", DIRTY)
    calls = operation("mend.mend_all", DONE)
    assert main(["hygiene", "--fix"]) == ExitCode.USAGE
    assert calls == []
    assert main(["hygiene", "--yes"]) == ExitCode.USAGE


@pytest.mark.parametrize(("answer", "mended"), [("y\n", 1), ("n\n", 0)])
def test_fix_lists_and_asks(
    answer: str,
    mended: int,
    operation: Replace,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    operation("hygiene.hygiene", DIRTY)
    calls = operation("mend.mend_all", DONE)
    monkeypatch.setattr(sys, "stdin", Terminal(answer))
    main(["hygiene", "--fix"])
    assert len(calls) == mended
    assert "remove file: /x.part" in capsys.readouterr().err


def test_after_a_fix_what_is_left_is_told(
    operation: Replace, capsys: pytest.CaptureFixture[str]
) -> None:
    operation("hygiene.hygiene", DIRTY)
    calls = operation("mend.mend_all", DONE)
    assert main(["hygiene", "--fix", "--yes", "--json"]) == ExitCode.UNHEALTHY
    assert calls[0][0][1] == (PART,)
    assert json.loads(capsys.readouterr().out)["mended"][0]["words"] == "removed"


def test_nothing_to_fix_needs_no_yes(operation: Replace) -> None:
    operation("hygiene.hygiene", CLEAN)
    assert main(["hygiene", "--fix"]) == 0
