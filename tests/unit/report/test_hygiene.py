"""Findings of hygiene in words."""

from labctl.model.hygiene import Finding, HygieneReport, Mend, Mended, MendKind, Severity
from labctl.report.hygiene import hygiene_data, hygiene_lines, mended_lines, plan_lines
from labctl.report.json import to_data
from labctl.report.paint import Paint

MERGE = Mend(MendKind.MERGE, "pair.a", "pair", "a", "qemu:///system", 2, ("before", "s4"))
CHAIN = Finding(
    "chain", Severity.BAD, "pair.a", "vda stands on 9 files", "slow", "virsh x", {}, MERGE
)
ROOM = Finding("room", Severity.NOTE, "home", "half full", "a guest is paused", "du")


def lines(*findings: Finding) -> list[str]:
    return hygiene_lines(HygieneReport(("qemu:///system",), findings), Paint())


def test_findings_are_a_table_and_then_explained() -> None:
    assert lines(CHAIN, ROOM) == [
        "hygiene of qemu:///system",
        "        check  what    found",
        "  bad   chain  pair.a  vda stands on 9 files",
        "  note  room   home    half full",
        "",
        "chain pair.a",
        "  slow",
        "  next: virsh x",
        "  or:   labctl hygiene --fix",
        "not clean: 1 bad",
    ]


def test_notes_alone_are_clean() -> None:
    assert lines(ROOM)[-1] == "clean"
    assert lines() == ["hygiene of qemu:///system", "clean"]


def test_what_others_named_can_not_drive_the_terminal() -> None:
    evil = CHAIN._replace(subject="\x1b[2Jgone", message="\x07")
    assert not any("\x1b" in line or "\x07" in line for line in lines(evil))


def test_what_fix_would_do_and_did() -> None:
    assert plan_lines((MERGE,), Paint()) == [
        "--fix does 1 thing:",
        "  merge 2 layers into the disk of pair a",
        "    2 snapshots can't be gone back to then: before, s4",
    ]
    assert plan_lines((), Paint()) == ["nothing that --fix may do by itself"]
    failed = Mended(MERGE, error="denied", advice="labctl down pair")
    assert mended_lines((Mended(MERGE, "3 layers merged"), failed), Paint()) == [
        "done    merge 2 layers into the disk of pair a: 3 layers merged",
        "failed  merge 2 layers into the disk of pair a: denied",
        "        next: labctl down pair",
    ]


def test_what_can_not_be_had_again_is_named() -> None:
    many = MERGE._replace(layers=0, snapshots=tuple(map(str, range(12))))
    assert plan_lines((many,), Paint())[1:] == [
        "  forget merged snapshots of pair a",
        "    12 snapshots can't be gone back to then: 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 2 more",
    ]
    assert MERGE._replace(layers=1, snapshots=()).lost == ""


def test_the_way_to_mend_is_told_once() -> None:
    shown = lines(CHAIN._replace(command="labctl hygiene --fix"))
    assert [line for line in shown if "--fix" in line] == ["  next: labctl hygiene --fix"]


def test_the_document_is_complete() -> None:
    data = to_data(hygiene_data(HygieneReport(("u",), (CHAIN, ROOM)), (Mended(MERGE, "done"),)))
    assert (data["uris"], data["clean"]) == (["u"], False)
    assert data["findings"][0]["mend"]["kind"] == "merge layers"
    assert data["findings"][1]["mend"] is None
    assert set(data["findings"][0]) == set(Finding._fields)
    assert data["mended"][0]["words"] == "done"
