from labctl.model.finding import Finding, PreflightReport, Severity
from labctl.report.paint import Paint
from labctl.report.preflight import preflight_lines

FINE = Finding("memory", Severity.OK, "2.3 of 20 GiB", "never told")
BAD = Finding("ports", Severity.REFUSE, "UDP 10001 is taken", "destroy lab x")


def report(*findings: Finding) -> PreflightReport:
    return PreflightReport("lab", "qemu:///system", "qemu", findings)


def test_refusals_come_first_with_their_remedy() -> None:
    lines = preflight_lines(report(FINE, BAD), Paint())
    assert lines == [
        "preflight of lab on qemu:///system",
        "  refuse  ports   UDP 10001 is taken",
        "                  next: destroy lab x",
        "  ok      memory  2.3 of 20 GiB",
        "refused: 1 finding to mend first",
    ]


def test_a_pass_says_what_the_lab_would_run_with() -> None:
    assert (
        preflight_lines(report(FINE), Paint())[-1] == "passed: `labctl up` would run it with qemu"
    )
