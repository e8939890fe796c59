"""Snapshots taken behind labctl's back are found, and merged under running, pinging guests.

Show 3 of issue 4: a cron-like loop of virsh on both nodes; what the guests have on their disks is
the same before and after, and no reply is lost.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from labctl.hypervisor.api import Hypervisor
from labctl.images.chain import depth
from labctl.images.digest import content_digest
from labctl.model.identity import domain_name

from .conftest import Labctl

pytestmark = [pytest.mark.integration, pytest.mark.libvirtd, pytest.mark.timeout(600)]

LAB = "rot"
NODES = {"a": "192.0.2.1", "b": "192.0.2.2"}
ROUNDS = 12
TOPOLOGY = f"""\
lab: {LAB}
management: false
nodes:
  a: {{role: host}}
  b: {{role: host}}
links:
  - [a:eth1, b:eth1]
"""


@pytest.fixture(scope="module")
def lab(labctl: Labctl, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Labctl]:
    """Two nodes that ping each other for as long as they run."""
    file = tmp_path_factory.mktemp("rot") / f"{LAB}.yaml"
    file.write_text(TOPOLOGY)
    try:
        labctl("up", str(file))
        for node, address in NODES.items():
            labctl.shell(LAB, node, f"ip address add {address}/24 dev eth1")
        for node, far in zip(NODES, reversed(NODES.values()), strict=True):
            labctl.shell(LAB, node, f"ping -i 0.2 {far} >/run/ping.log 2>&1 </dev/null &")
        yield labctl
    finally:
        labctl("destroy", LAB, "--yes")


def cron(labctl: Labctl, number: int) -> None:
    """What cron does in a minute: with and without metadata by turns; the guests write between."""
    for node in NODES:
        labctl.shell(LAB, node, f"dd if=/dev/urandom of=/root/{number} bs=64k count=2; sync")
        words = [domain_name(LAB, node), f"cron-{number}", "--disk-only", "--atomic"]
        hidden = ["--no-metadata"] if number % 2 else []
        subprocess.run(
            ["virsh", "-c", labctl.uri, "snapshot-create-as", *words, *hidden],
            check=True,
            capture_output=True,
            timeout=60,
        )


def disk(hypervisor: Hypervisor, node: str) -> Path:
    domain = hypervisor.domain(domain_name(LAB, node))
    assert domain is not None
    return Path(domain.disks[0])


def digests(labctl: Labctl, scratch: Path) -> dict[str, str]:
    """What each guest sees on its disk, all of them halted for the time of reading."""
    with closing(labctl.hypervisor()) as hypervisor:
        for node in NODES:
            hypervisor.suspend(domain_name(LAB, node))
        found = {
            node: content_digest(disk(hypervisor, node), scratch=scratch, unlocked=True)
            for node in NODES
        }
        for node in NODES:
            hypervisor.resume(domain_name(LAB, node))
    return found


def answered(labctl: Labctl, node: str) -> list[int]:
    """The sequence numbers of the replies so far."""
    said = labctl.shell(LAB, node, "cat /run/ping.log")
    return [int(number) for number in re.findall(r"icmp_seq=(\d+) ttl", said)]


def of(report: Any, check: str) -> dict[str, Any]:
    """The lab's findings of one check, by domain."""
    names = {domain_name(LAB, node) for node in NODES}
    return {
        f["subject"]: f for f in report["findings"] if f["check"] == check and f["subject"] in names
    }


def test_what_cron_did_is_found_and_merged_under_running_guests(
    lab: Labctl, tmp_path: Path
) -> None:
    assert lab.json("hygiene")["clean"]
    for number in range(ROUNDS):
        cron(lab, number)
    report = lab.json("hygiene", expect=9)
    assert len(of(report, "chain")) == len(of(report, "snapshots")) == len(NODES)
    for finding in of(report, "chain").values():
        assert finding["severity"] == "bad"
        assert finding["evidence"]["depth"] == ROUNDS + 1
        assert finding["mend"]["kind"] == "merge layers"
    for finding in of(report, "snapshots").values():
        assert len(finding["evidence"]["snapshots"]) == ROUNDS // 2
        assert finding["evidence"]["bytes"] > 0

    machines = lab.machines()
    before = digests(lab, tmp_path / "scratch")
    replies = {node: len(answered(lab, node)) for node in NODES}
    fixed = lab.json("hygiene", "--fix", "--yes")
    assert [each["error"] for each in fixed["mended"]] == [""] * len(NODES)
    assert digests(lab, tmp_path / "scratch") == before

    assert lab.machines() == machines
    for node, earlier in replies.items():
        numbers = answered(lab, node)
        assert len(numbers) > earlier
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers))), "a reply was lost"
    with closing(lab.hypervisor()) as hypervisor:
        for node in NODES:
            files = lab.home.lab(LAB).node(node)
            assert disk(hypervisor, node) == files.overlay
            assert depth(files.overlay) == 1
            assert hypervisor.snapshots(domain_name(LAB, node)) == ()
            assert sorted(p.name for p in files.folder.glob("disk*")) == ["disk.qcow2"]
            assert "relabel='no'" in (hypervisor.definition(domain_name(LAB, node)) or "")
    assert lab.json("hygiene")["clean"]
    assert lab("up", LAB)
    assert lab.machines() == machines


def killed_fix(labctl: Labctl, seconds: float) -> None:
    """`hygiene --fix`, killed so many seconds after its start."""
    words = ["--connect", labctl.uri, "hygiene", "--fix", "--yes"]
    run = subprocess.Popen(
        [sys.executable, "-m", "labctl", *words],
        env={**os.environ, "LABCTL_HOME": str(labctl.home.folder)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    time.sleep(seconds)
    run.kill()
    run.wait(timeout=30)


def test_a_fix_that_is_killed_is_taken_on(lab: Labctl, tmp_path: Path) -> None:
    machines = lab.machines()
    for number in range(ROUNDS, ROUNDS + 4):
        cron(lab, number)
    before = digests(lab, tmp_path / "scratch")
    for tenths in range(6, 16):
        killed_fix(lab, tenths / 10)
        assert lab.machines() == machines
    lab("hygiene", "--fix", "--yes")
    assert digests(lab, tmp_path / "scratch") == before
    for node in NODES:
        files = lab.home.lab(LAB).node(node)
        assert depth(files.overlay) == 1
        assert sorted(p.name for p in files.folder.glob("disk*")) == ["disk.qcow2"]
        assert not (files.folder / "merge.json").exists()
    assert lab.json("hygiene")["clean"]


def test_layers_of_a_lab_that_is_off_are_merged_and_it_boots(lab: Labctl, tmp_path: Path) -> None:
    lab("down", LAB)
    name = domain_name(LAB, "a")
    for number in range(3):
        words = ["snapshot-create-as", name, f"off-{number}", "--disk-only"]
        subprocess.run(
            ["virsh", "-c", lab.uri, *words], check=True, capture_output=True, timeout=60
        )
    overlay = lab.home.lab(LAB).node("a").overlay
    with closing(lab.hypervisor()) as hypervisor:
        top = disk(hypervisor, "a")
    before = content_digest(top, scratch=tmp_path / "scratch")
    (done,) = lab.json("hygiene", "--fix", "--yes")["mended"]
    assert "3 layers merged while it was off, 3 snapshots forgotten" in done["words"]
    assert content_digest(overlay, scratch=tmp_path / "scratch") == before
    assert sorted(p.name for p in overlay.parent.glob("disk*")) == ["disk.qcow2"]
    lab("up", LAB)
    assert lab.shell(LAB, "a", "ls /root/0").strip() == "/root/0"
    assert lab.json("hygiene")["clean"]
