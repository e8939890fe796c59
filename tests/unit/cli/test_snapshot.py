"""`labctl snapshot` from the command line to the fake: what it does, prints, and how it ends."""

from __future__ import annotations

import json

import pytest

from harness.faults import refuse
from harness.site import LAB, Site, pair
from harness.snapshot_command import Capture, create, data, labctl, names, told, with_policy
from labctl.cli.main import main
from labctl.errors import ExitCode
from labctl.hypervisor.api import DomainState, ObservedSnapshot
from labctl.ops.snapshots import Snapshots


@pytest.fixture
def lab(by_command_line: Site, own_home: None) -> Site:
    return with_policy(by_command_line)


@pytest.fixture
def own_home() -> None:
    """The site's, not the one of the other tests here."""


def test_create_says_how_long_the_lab_stood_still(lab: Site, capsys: Capture) -> None:
    lines = told(capsys, "create", LAB, "one", "--description", "before").splitlines()
    assert lines[0].startswith("pair: snapshot one in ")
    assert "2 nodes, memory and disks, " in lines[0]
    assert "the lab stood still for" in lines[1]
    assert "pause" in lines[1]
    assert "resume" in lines[1]
    assert lines[-1] == "  next: labctl snapshot restore pair one brings it back"


def test_disks_alone_are_said_to_be_so(lab: Site, capsys: Capture) -> None:
    assert "crash-consistent" in told(capsys, "create", LAB, "one", "--disk-only")
    lab.down(force=True)
    assert "disks, of machines that are off" in told(capsys, "create", LAB, "two")


def test_what_fails_ends_with_its_code(lab: Site, capsys: Capture) -> None:
    lab.fake.faults.at("save_memory", refuse("no room"))
    assert data(capsys, "create", LAB, "one", code=6)["error"]["brief"] == "no room"
    lab.home.lab(LAB).node("a").overlay.unlink()
    assert "a: can't read" in data(capsys, "create", LAB, "one", code=11)["error"]["details"]
    assert data(capsys, "create", "other", "one", code=2)["error"]["kind"] == "UsageError"
    assert names(lab) == ()


def test_list_is_a_tree(lab: Site, capsys: Capture) -> None:
    create("one", "two")
    Snapshots(lab.home.lab(LAB)).set_current("one")
    create("golden")
    lab.fake.foreign[f"{LAB}.b"] = [ObservedSnapshot("virsh-1", 0, False, False, "", ())]
    lines = told(capsys, "list", LAB).splitlines()
    assert lines[0].startswith("pair: 3 snapshots, ")
    assert [line.split("  ")[1] for line in lines[2:5]] == ["one", "├─ two", "└─ golden *"]
    assert "protected" in lines[4]
    assert "ms" in lines[2]
    assert lines[-2] == "  policy: keep_last 3, protect golden"
    assert "b has virsh-1, not made by labctl" in lines[-1]
    listed = data(capsys, "list", LAB)
    assert listed["foreign"] == {"b": ["virsh-1"]}
    assert [each["parent"] for each in listed["snapshots"]] == ["", "one", "one"]


def test_without_any_the_way_to_one_is_told(lab: Site, capsys: Capture) -> None:
    assert "`labctl snapshot create pair NAME` takes one" in told(capsys, "list", LAB)


def test_what_is_not_whole_never_passes_for_it(lab: Site, capsys: Capture) -> None:
    create("one", "two")
    snapshots = Snapshots(lab.home.lab(LAB))
    snapshots.write(snapshots.get("one")._replace(complete=False))
    (snapshots.folder("two") / "manifest.json").write_text("{")
    out = told(capsys, "list", LAB)
    assert "0 snapshots" in out
    assert "incomplete" in out
    assert "unreadable" in out
    main(["status", LAB])
    assert "no whole snapshot: one, two" in capsys.readouterr().out
    labctl("show", LAB, "two", code=ExitCode.SNAPSHOT)
    assert "incomplete" in told(capsys, "show", LAB, "one")
    labctl("delete", LAB, "one", "two", "--yes")
    assert names(lab) == ()


def test_known_damage_is_told(lab: Site, capsys: Capture) -> None:
    create("one", "two")
    Snapshots(lab.home.lab(LAB)).note_damage("one", ["a: cut", "b: cut"])
    (line,) = [each for each in told(capsys, "list", LAB).splitlines() if "damaged" in each]
    assert line.startswith("  damaged: one, found on 2")
    assert line.endswith(": a: cut; b: cut")
    assert "  damaged    found on 2" in told(capsys, "show", LAB, "one")


def test_status_tells_number_size_and_oldest(lab: Site, capsys: Capture) -> None:
    create("one", "two")
    capsys.readouterr()
    main(["status", LAB])
    assert "  2 snapshots, " in capsys.readouterr().out
    main(["status", LAB, "--json"])
    summary = json.loads(capsys.readouterr().out)["labs"][0]["snapshots"]
    assert (summary["number"], summary["unfinished"]) == (2, [])
    assert summary["oldest"] >= 0
    assert summary["size"] > 0


def test_show_names_what_differs(lab: Site, capsys: Capture) -> None:
    create("one")
    shown = told(capsys, "show", LAB, "one")
    assert "  no difference from the lab as it is now, day-0 configuration included" in shown
    assert "(what was typed on devices since is not compared)" in shown
    lab.write(pair("a", "c").replace("a: {role: host}", "a: {role: host, memory: 256 MiB}"))
    lab.up()
    lines = told(capsys, "show", LAB, "one").splitlines()
    assert "  b: node was there, is gone" in lines
    assert "  c: node was not there, is there" in lines
    assert any("a: memory was " in line and "is 256 MiB" in line for line in lines)
    assert "  +  a: {role: host, memory: 256 MiB}" in lines
    assert any("day-0 configuration was" in line for line in lines) is False
    shown = data(capsys, "show", LAB, "one")
    assert {each["what"] for each in shown["differences"]} >= {"node", "memory", "machine's XML"}


def test_show_of_configurations(lab: Site, capsys: Capture) -> None:
    switches = f"lab: {LAB}\nfabric: {{spines: 1, leaves: 1}}\n"
    lab.destroy()
    lab.write(switches)
    lab.up()
    create("one")
    lab.write(switches + "nodes: {leaf-1: {config: 'banner motd line of ours'}}\n")
    lab.up()
    lines = told(capsys, "show", LAB, "one").splitlines()
    assert any("leaf-1: day-0 configuration was" in line for line in lines)
    assert any(line.startswith("  +++ now/leaf-1/") for line in lines)
    assert "  +banner motd line of ours" in lines


def test_delete_keeps_the_descent(lab: Site, capsys: Capture) -> None:
    create("one", "two", "three")
    assert "deleted two; " in told(capsys, "delete", LAB, "two", "--yes")
    snapshots = Snapshots(lab.home.lab(LAB))
    assert snapshots.get("three").parent == "one"
    labctl("delete", LAB, "three", "-y")
    assert snapshots.current() == "one"


def test_delete_says_which_are_damaged(lab: Site, capsys: Capture) -> None:
    create("one", "two")
    Snapshots(lab.home.lab(LAB)).note_damage("two", ["a/memory is gone"])
    capsys.readouterr()
    labctl("delete", LAB, "one", "two", "--yes")
    one, two = (line for line in capsys.readouterr().err.splitlines() if line.startswith("  "))
    assert (one.rpartition(", ")[2], two.rpartition(", ")[2]) == ("complete", "damaged")


def test_delete_asks_and_knows_names(lab: Site, capsys: Capture) -> None:
    create("one")
    assert "needs a yes" in data(capsys, "delete", LAB, "one", code=2)["error"]["brief"]
    missing = data(capsys, "delete", LAB, "two", "--yes", code=2)["error"]
    assert "no snapshot 'two'" in missing["brief"]
    assert names(lab) == ("one",)


def test_protected_ones_need_force(lab: Site, capsys: Capture) -> None:
    create("golden")
    error = data(capsys, "delete", LAB, "golden", "--yes", code=11)["error"]
    assert error["brief"] == "protected by the topology file of pair: golden"
    labctl("delete", LAB, "golden", "--yes", "--force")
    assert names(lab) == ()


def test_destroy_says_that_they_go_too(lab: Site, capsys: Capture) -> None:
    create("one", "two")
    capsys.readouterr()
    assert main(["destroy", LAB, "--yes"]) == 0
    assert "2 snapshots: one, two" in capsys.readouterr().err
    lab.assert_gone()


@pytest.mark.parametrize("command", ["up", "down", "link", "delete", "prune", "create"])
def test_whatever_changes_a_lab_undoes_a_killed_snapshot(
    lab: Site, command: str, capsys: Capture
) -> None:
    create("one")
    snapshots = Snapshots(lab.home.lab(LAB))
    left = snapshots.get("one")._replace(name="half", complete=False, running=("a", "b"))
    snapshots.write(left)
    lab.fake.suspend(f"{LAB}.b")
    words = {
        "up": ["up", LAB, "--no-verify"],
        "down": ["down", LAB, "--force", "--node", "a"],
        "link": ["link", LAB, "a:eth2", "down"],
        "delete": ["snapshot", "delete", LAB, "one", "--yes"],
        "prune": ["snapshot", "prune", LAB],
        "create": ["snapshot", "create", LAB, "two"],
    }
    capsys.readouterr()
    assert main(words[command]) == 0
    assert lab.states[f"{LAB}.b"] is DomainState.RUNNING
    assert "half" not in names(lab)
    if command != "link":
        assert "removed snapshot half" in capsys.readouterr().err
