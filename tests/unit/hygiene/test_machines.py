"""Domains against their labs, and disks nobody uses."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from harness import rot
from labctl.hygiene.checks import check
from labctl.hygiene.facts import ConnectionFact, Sizing
from labctl.hypervisor.api import ObservedPool
from labctl.model.hygiene import MendKind, Severity


def test_a_domain_whose_lab_has_no_folder() -> None:
    (finding,) = rot.found(rot.facts(labs=()), "domain")
    assert (finding.severity, finding.command) == (Severity.WARN, "labctl destroy pair")


def test_a_domain_that_is_no_node_of_its_labs_file() -> None:
    (finding,) = rot.found(rot.facts(labs=(rot.lab(nodes={"b": rot.SIZING}),)), "domain")
    assert finding.command == "labctl up pair"


def test_a_lab_of_another_home_is_a_note() -> None:
    files = rot.layers(0, Path("/other/labs/pair/nodes/a/disk.qcow2"))
    facts = rot.facts([rot.node(disks=[rot.disk(files)])], labs=())
    (finding,) = rot.found(facts, "domain")
    assert (finding.severity, finding.evidence["home"]) == (Severity.NOTE, "/other")


def test_a_canary_that_stayed() -> None:
    (finding,) = rot.found(rot.facts([rot.node(), rot.domain("labctl-canary-1234")]), "domain")
    assert finding.command == f"virsh -c {rot.URI} destroy labctl-canary-1234"


def test_other_sizes_than_the_file_gives_now_and_at_the_next_start() -> None:
    for node in (rot.node(sizing=Sizing(128, 1)), rot.node(defined=Sizing(256, 2))):
        (finding,) = rot.found(rot.facts([node]), "sizing")
        assert finding.command == "labctl up pair --node a"
        assert "256 MiB, 1 vCPUs" in finding.message


def test_less_memory_than_the_software_needs() -> None:
    (finding,) = rot.found(rot.facts([rot.node(metadata=rot.mark(floor=8192))]), "sizing")
    assert "needs 8192 MiB" in finding.message


def test_an_overlay_that_no_domain_uses() -> None:
    left = rot.layer(rot.OVERLAY.with_name("disk.old"), rot.GOLDEN, days=3)
    lab = rot.lab(overlays=(rot.layer(rot.OVERLAY, rot.GOLDEN), left))
    (finding,) = rot.found(rot.facts(labs=(lab,)), "overlay")
    assert (finding.subject, finding.command) == (str(left.path), f"rm {left.path}")
    assert "3 days ago" in finding.message
    assert finding.mend is None


def test_overlays_of_a_lab_that_is_gone_from_the_hypervisor() -> None:
    (finding,) = rot.found(rot.facts([]), "overlay")
    assert finding.command == "labctl destroy pair"
    (finding,) = rot.found(rot.facts([rot.node(disks=[])]), "overlay")
    assert finding.command == "labctl up pair"


def test_unused_overlays_are_not_guessed_where_machines_can_be_hidden() -> None:
    hidden = (ConnectionFact(rot.URI, trouble=("can't connect",)),)
    facts = rot.facts(connections=hidden)
    assert rot.found(facts, "overlay") == []
    (finding,) = rot.found(facts, "hypervisor")
    assert finding.severity is Severity.BAD
    assert rot.found(rot.facts([], labs=(rot.lab(locked_by="up"),)), "overlay") == []


def test_files_of_a_pool_that_stand_on_a_golden_image() -> None:
    left = rot.layer(Path("/pool/x.qcow2"), rot.GOLDEN)
    (finding,) = rot.found(rot.facts(pool_overlays=(left,)), "overlay")
    assert finding.command == "rm /pool/x.qcow2"


def test_of_another_host_is_said_what_was_not_looked_at() -> None:
    pool = ObservedPool("default", "/p", active=True, capacity=1, available=1)
    remote = ConnectionFact("qemu+ssh://h/system", is_local=False, pools=(pool,))
    facts = rot.facts()
    report = check(replace(facts, connections=(*facts.connections, remote)))
    assert report.clean
    assert "not looked at" in report.findings[0].message


def test_a_merge_that_was_cut_off() -> None:
    lab = rot.lab(merging={"a": (rot.OVERLAY.with_name("disk.1"),)})
    (finding,) = rot.found(rot.facts(labs=(lab,)), "merge")
    assert finding.mend is not None
    assert (finding.mend.kind, finding.mend.uri) == (MendKind.MERGE, rot.URI)
