"""Signatures: the file that ships, and what is said of a broken one."""

from __future__ import annotations

from pathlib import Path

import pytest

from labctl.errors import TopologyError
from labctl.model.signature import Implies, NeverEmpty, Severity, Signature, emptied, matches
from labctl.topology.signatures import SIGNATURES, load_signatures

BOOT = "boot/grub/grub.cfg"
LOG = "var/log/messages"


def test_every_signature_tells_why_and_who_says_so() -> None:
    found = load_signatures()
    rules: list[Signature | NeverEmpty] = [*found.texts, *found.never_empty]
    assert SIGNATURES.read_text().count("- id:") == len(rules)
    assert all(rule.explanation and rule.source and rule.globs for rule in rules)


@pytest.mark.parametrize(
    ("path", "line", "expected"),
    [
        (BOOT, "linux /vmlinuz isolated=GOLD", "isolated-boot-parameter"),
        (BOOT, "linux /vmlinuz console=ttyS0,9600n8", "console-not-115200"),
        (BOOT, "serial --speed=9600 --word=8 --stop=1 --parity=no", "console-not-115200"),
        ("syslinux.cfg", "SERIAL 0 9600", "console-not-115200"),
        (BOOT, "\tlinux /vmlinuz root=/dev/sda1 console=tty0 quiet", "no-serial-console"),
        ("boot/extlinux.conf", "  APPEND root=/dev/vda1 console=tty1", "no-serial-console"),
        ("loader/entries/a.conf", "options root=/dev/vda1 console=tty0", "no-serial-console"),
        (BOOT, "linux /vmlinuz console=ttyS0,115200 init=/bin/sh", "init-is-a-shell"),
        (BOOT, "linux /vmlinuz rw init=/usr/bin/bash console=ttyS0", "init-is-a-shell"),
        (
            "var/log/dmesg",
            "Memory limit 3.8GB detected. Limiting routing table to 4k routes",
            "memory-limit",
        ),
        (LOG, "with 4002196 kB of memory.", "low-memory"),
        (LOG, "with 6096432 kB of memory.", "low-memory"),
        (LOG, "bgp: invalid RD in update", "invalid-route-distinguisher"),
        (LOG, "EXT4-fs error (device sda4): ext4_lookup:1591: inode #2", "ext4-errors"),
        (LOG, "EXT4-fs (sda4): recovery complete", "journal-recovered"),
        ("console.log", "loader > ", "fell-to-the-loader"),
        (LOG, "Bad Partition bootflash size 4G too small < min 8G", "small-bootflash"),
    ],
)
def test_what_is_looked_for_is_found(path: str, line: str, expected: str) -> None:
    text = f"before\n{line}\nafter\n"
    found = list(matches(load_signatures(), "/dev/sda1", path, text, most=5))
    assert [(match.id, match.line) for match in found] == [(expected, 2)]


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (BOOT, "linux /vmlinuz console=ttyS0,115200n8 quiet"),
        (BOOT, "linux /vmlinuz console=ttyS0,115200n8 console=tty0"),
        (BOOT, "linux /vmlinuz console=tty0 console=ttyS0,115200n8 init=/sbin/init"),
        (BOOT, "# linux /vmlinuz console=tty0"),
        (BOOT, "serial --speed=115200 --word=8 --stop=1 --parity=no"),
        (BOOT, "set isolated_nodes= none"),
        (LOG, "with 8154104 kB of memory."),
        (LOG, "with 16399552 kB of memory."),
        (LOG, "EXT4-fs (sda4): mounted filesystem with ordered data mode"),
        ("usr/share/doc/readme", "isolated=GOLD invalid RD"),
    ],
)
def test_what_is_healthy_is_left_alone(path: str, line: str) -> None:
    assert list(matches(load_signatures(), "/dev/sda1", path, line, most=5)) == []


def test_a_text_is_matched_a_few_times_and_shown_short() -> None:
    text = ("invalid RD \x1b[31m" + "x" * 9999 + "\n") * 50
    found = list(matches(load_signatures(), "/dev/sda1", LOG, text, most=5))
    assert [match.line for match in found] == [1, 2, 3, 4, 5]
    assert all(len(match.text) <= 200 and match.text.isprintable() for match in found)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("log/bgp_debug.log", ["empty-bgp-log"]),
        ("var/log/messages", ["empty-system-log"]),
        ("cfg/0/startup-config", ["empty-startup-configuration"]),
        ("var/log/wtmp", []),
    ],
)
def test_files_that_should_not_be_empty(path: str, expected: list[str]) -> None:
    found = list(emptied(load_signatures(), "/dev/sda1", path))
    assert [match.id for match in found] == expected


FIRST = "id: isolated-boot-parameter"


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (FIRST, "id: memory-limit", "id 'memory-limit' is there twice"),
        (FIRST, "id: Isolated", "'Isolated' is no id"),
        ("severity: bad", "severity: awful", "must be one of note, warn, bad"),
        ("implies: used", "implies: broken", "must be one of nothing, used, modified"),
        (r"regex: '\bisolated=\S+'", "regex: '('", "is no regular expression"),
        (r"regex: '\bisolated=\S+'", "pattern: x", "unknown key 'pattern'"),
        ('globs: ["*grub', 'globs: ["/boot/*grub', "from the root of a file system"),
        ("must_not_be_empty:", "empty:", "unknown key 'empty'"),
    ],
)
def test_a_broken_file_is_named_with_what_is_wrong(
    tmp_path: Path, old: str, new: str, expected: str
) -> None:
    text = SIGNATURES.read_text()
    assert old in text
    path = tmp_path / "signatures.yaml"
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(TopologyError) as caught:
        load_signatures(path)
    assert any(expected in problem.message for problem in caught.value.problems)


def test_a_site_s_own_signature_is_taken(tmp_path: Path) -> None:
    path = tmp_path / "signatures.yaml"
    own = (
        '  - {id: own, globs: ["etc/motd"], regex: "lab 7", severity: note, implies: nothing,'
        " explanation: ours, source: us}\n"
    )
    path.write_text(
        SIGNATURES.read_text().replace("must_not_be_empty:", own + "must_not_be_empty:")
    )
    (match,) = matches(load_signatures(path), "/dev/sda1", "etc/motd", "lab 7\n", most=5)
    assert (match.id, match.severity, match.implies) == ("own", Severity.NOTE, Implies.NOTHING)
