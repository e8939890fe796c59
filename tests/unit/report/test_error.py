from labctl.errors import HypervisorError, NodesFailed, PreflightRefused, Problem, TopologyError
from labctl.model.finding import Finding, PreflightReport, Severity
from labctl.report.error import error_lines
from labctl.report.paint import Paint


def test_what_happened_why_what_next() -> None:
    error = HypervisorError("can't connect", details="no socket\nat all", resolution="start it")
    assert error_lines(error, Paint()) == [
        "labctl: can't connect",
        "  no socket",
        "  at all",
        "next: start it",
    ]


def test_a_detail_that_the_brief_has_already_is_not_told_again() -> None:
    error = HypervisorError("image a: b was changed", details="b was changed\nand more\na")
    assert error_lines(error, Paint()) == ["labctl: image a: b was changed", "  and more", "  a"]
    error = HypervisorError("12 of 3 failed", details="2 of 3 failed")
    assert error_lines(error, Paint())[1:] == ["  2 of 3 failed"]


def test_every_cause_is_named() -> None:
    error = NodesFailed("2 of 3 failed", causes=[HypervisorError("a", details="b"), OSError("c")])
    assert error_lines(error, Paint())[1:] == ["  because: a", "  because:   b", "  because: c"]


def test_a_cause_in_words_already_said_is_not_told_again() -> None:
    error = HypervisorError("can't connect: no socket", causes=[OSError("no socket")])
    assert error_lines(error, Paint()) == ["labctl: can't connect: no socket"]


def test_problems_of_a_file_stand_at_the_start_of_lines_for_editors_to_find() -> None:
    error = TopologyError([Problem("f.yaml", 9, 1, "b"), Problem("f.yaml", 2, 4, "a", "hint")])
    assert error_lines(error, Paint())[1:3] == ["f.yaml:2:4: a (hint)", "f.yaml:9:1: b"]


def test_a_refusal_shows_all_that_is_wrong_and_nothing_that_is_right() -> None:
    report = PreflightReport(
        "lab",
        "qemu:///system",
        "qemu",
        (
            Finding("disk", Severity.OK, "room enough"),
            Finding("kvm", Severity.WARN, "no KVM here"),
            Finding("memory", Severity.REFUSE, "48 GiB of 24", "fewer nodes"),
        ),
    )
    error = PreflightRefused("can't", report=report, details="48 GiB of 24")
    assert error_lines(error, Paint()) == [
        "labctl: can't",
        "  refuse  memory  48 GiB of 24",
        "                  next: fewer nodes",
        "  warn    kvm     no KVM here",
    ]


def test_device_output_can_not_drive_the_terminal() -> None:
    assert error_lines(HypervisorError("a\x1b[2Jb"), Paint()) == ["labctl: a�[2Jb"]
