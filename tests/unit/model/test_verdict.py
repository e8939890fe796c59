"""The verdict is a pure function of what was found."""

from __future__ import annotations

from dataclasses import replace

import pytest

from labctl.model.image import Provenance
from labctl.model.inspection import (
    UNREPLAYED,
    Chain,
    Contents,
    FileSystem,
    Findings,
    Firmware,
    InternalSnapshot,
    Layer,
    LayerCheck,
    Origin,
    Verdict,
    VersionClue,
)
from labctl.model.signature import Implies, Match, Severity
from labctl.model.verdict import judge

WHEN = "2024-01-01T00:00:00+00:00"
LAYER = Layer("/i/a.qcow2", "qcow2", 1000, 1000, WHEN, 8 << 30, 65536, 3, holds_data=True)
EXT4 = FileSystem("/dev/sda1", "ext4", files=3)
CLEAN = Findings(
    path="/i/a.qcow2",
    name="a.qcow2",
    claims="7.0(3)I7(4)",
    origin=Origin(Provenance.PRISTINE, "a.qcow2", 1000, how="byte for byte as published"),
    chain=Chain((LAYER,)),
    checks=(LayerCheck("/i/a.qcow2", "clean"),),
)
READ = Contents("/i/a.qcow2", table="gpt", file_systems=(EXT4,), boot_files=("/dev/sda1:a.efi",))
MISNAMED = Origin(Provenance.PRISTINE, "nxosv-final.7.0.3.I7.3.qcow2", how="byte for byte")
AGREES = VersionClue("/dev/sda4", "nxos.bin", 0, "nxos.7.0.3.I7.4.bin", "7.0(3)I7(4)", True)
DIFFERS = VersionClue("/dev/sda4", "nxos.bin", 0, "nxos.9.3.9.bin", "9.3(9)", False)
UNKNOWN = Origin(Provenance.UNKNOWN, published_size=1000)


def found(implies: Implies) -> Contents:
    rule = ("memory-limit", Severity.BAD, implies, "/dev/sda1", "log", 7)
    return READ._replace(matches=(Match(*rule, "Memory limit", "why", "who"),))


def state(words: str) -> Contents:
    return READ._replace(file_systems=(EXT4._replace(state=words),))


def top(**changes: object) -> Chain:
    return Chain((LAYER._replace(**changes),))  # type: ignore[arg-type]  # any field


def chain(below: int) -> Chain:
    return Chain((LAYER,) * (below + 1))


@pytest.mark.parametrize("contents", [None, READ, READ._replace(versions=(AGREES,))])
def test_a_published_file_with_nothing_found_is_pristine(contents: Contents | None) -> None:
    done = judge(replace(CLEAN, contents=contents))
    assert done.verdict is Verdict.PRISTINE
    assert done.reasons[0].text == "byte for byte as published"


@pytest.mark.parametrize(
    ("changes", "verdict", "text"),
    [
        ({"checks": (LayerCheck("a", "corrupt", 247),)}, Verdict.DAMAGED, "247 corruptions"),
        ({"checks": (LayerCheck("a", "unreadable", words="no"),)}, Verdict.DAMAGED, ": no"),
        ({"chain": top(corrupt=True)}, Verdict.DAMAGED, "marked corrupt"),
        ({"chain": top(problems=("garbage",))}, Verdict.DAMAGED, "garbage"),
        ({"origin": Origin(Provenance.UNKNOWN, as_stored=False)}, Verdict.DAMAGED, "manifest"),
        ({"chain": Chain((LAYER,), "it stands on b")}, Verdict.NOT_BOOTABLE, "stands on b"),
        ({"chain": chain(32)}, Verdict.NOT_BOOTABLE, "labctl's limit: 32"),
        ({"chain": chain(200)}, Verdict.NOT_BOOTABLE, "more than 199"),
        ({"chain": top(format="unknown")}, Verdict.NOT_BOOTABLE, "no disk image"),
        ({"chain": top(encrypted=True)}, Verdict.NOT_BOOTABLE, "encrypted"),
        ({"chain": top(data_file=True)}, Verdict.NOT_BOOTABLE, "another file"),
        ({"firmware": Firmware(needed=True, there=False)}, Verdict.NOT_BOOTABLE, "UEFI"),
        ({"contents": Contents("a")}, Verdict.NOT_BOOTABLE, "no partition table"),
        ({"contents": READ._replace(boot_files=())}, Verdict.NOT_BOOTABLE, "no boot loader"),
        ({"origin": Origin(Provenance.SALVAGED)}, Verdict.MODIFIED, "from a damaged image"),
        ({"contents": READ._replace(versions=(DIFFERS,))}, Verdict.MODIFIED, "disk says 9.3(9)"),
        ({"contents": found(Implies.MODIFIED)}, Verdict.MODIFIED, "memory-limit"),
        ({"contents": found(Implies.USED)}, Verdict.USED, "memory-limit"),
        ({"in_use": True}, Verdict.USED, "running machine"),
        ({"chain": chain(8)}, Verdict.USED, "from 8 on"),
        ({"chain": top(dirty=True)}, Verdict.USED, "dirty bit"),
        ({"chain": top(allocated=2 << 20)}, Verdict.USED, "2097152 bytes on the disk"),
        (
            {"chain": top(snapshots=(InternalSnapshot("1", "a", WHEN, 0),))},
            Verdict.USED,
            f"1 internal snapshots, the last of {WHEN}",
        ),
        (
            {"contents": READ._replace(file_systems=(EXT4._replace(mounts=4),))},
            Verdict.USED,
            "mount count 4",
        ),
        ({"contents": state("clean with errors")}, Verdict.DAMAGED, "marked clean with errors"),
        ({"contents": state("not clean")}, Verdict.USED, "lost power"),
        ({"contents": state(f"clean, {UNREPLAYED}")}, Verdict.USED, "lost power"),
        ({"checks": (LayerCheck("a", "leaks", 0, 7),)}, Verdict.USED, "7 clusters"),
        ({"origin": MISNAMED}, Verdict.MODIFIED, "it is nxosv-final.7.0.3.I7.3.qcow2"),
        ({"origin": UNKNOWN}, Verdict.UNKNOWN, "no published file"),
    ],
)
def test_each_finding_has_its_verdict_and_none_is_pristine(
    changes: dict[str, object], verdict: Verdict, text: str
) -> None:
    done = judge(replace(CLEAN, **{"origin": UNKNOWN, **changes}))  # type: ignore[arg-type]
    assert done.verdict is verdict
    assert text in done.reasons[0].text
    assert all(reason.verdict is not Verdict.PRISTINE for reason in done.reasons)


def test_the_gravest_reason_names_the_whole_and_the_others_stay() -> None:
    many = replace(CLEAN, chain=top(corrupt=True, dirty=True), origin=UNKNOWN)
    verdicts = [reason.verdict for reason in judge(many).reasons]
    assert verdicts == [Verdict.DAMAGED, Verdict.USED, Verdict.UNKNOWN]


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({"contents": found(Implies.MODIFIED)}, Verdict.PRISTINE),
        ({"contents": READ._replace(file_systems=(EXT4._replace(mounts=4),))}, Verdict.PRISTINE),
        ({"checks": (LayerCheck("a", "corrupt", 247),)}, Verdict.DAMAGED),
        ({"in_use": True}, Verdict.USED),
        ({"firmware": Firmware(needed=True, there=False)}, Verdict.NOT_BOOTABLE),
    ],
)
def test_the_publisher_s_bytes_are_pristine_unless_they_can_t_be_used(
    changes: dict[str, object], verdict: Verdict
) -> None:
    assert judge(replace(CLEAN, **changes)).verdict is verdict  # type: ignore[arg-type]


def test_an_upgrade_left_beside_the_claimed_release_is_no_change() -> None:
    both = READ._replace(versions=(DIFFERS, AGREES))
    assert judge(replace(CLEAN, contents=both, origin=UNKNOWN)).verdict is Verdict.UNKNOWN


def test_a_disk_that_was_not_read_whole_is_not_called_unbootable() -> None:
    unread = READ._replace(boot_files=(), file_systems=(EXT4._replace(problem="can't mount"),))
    assert judge(replace(CLEAN, contents=unread, origin=UNKNOWN)).verdict is Verdict.UNKNOWN
    problem = Contents("a", problem="not readable")
    assert judge(replace(CLEAN, contents=problem, origin=UNKNOWN)).verdict is Verdict.UNKNOWN
