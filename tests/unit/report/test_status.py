from typing import Any

from labctl.ops.results import LabStatus, NodeStatus
from labctl.ops.state import SnapshotSummary
from labctl.report.paint import Paint
from labctl.report.status import status_lines


def node(**changes: Any) -> NodeStatus:
    known: dict[str, Any] = {
        "node": "leaf-1",
        "role": "leaf",
        "platform": "frr",
        "state": "running",
        "phase": "ready",
        "memory": 384,
        "vcpus": 1,
        "age": 7200.0,
        "uptime": 61.0,
        "chain_depth": 1,
    }
    return NodeStatus(**{**known, **changes})


def test_no_labs_says_how_to_get_one() -> None:
    assert "labctl new" in status_lines([], Paint())[0]


def test_a_lab_is_a_table_with_its_problems_below() -> None:
    lab = LabStatus(
        "lab", "qemu:///system", (node(), node(node="s", chain_depth=3, problems=("x",)))
    )
    assert status_lines([lab], Paint()) == [
        "lab on qemu:///system: 2 nodes, 2 running",
        "  node    role  platform  state    phase  up         age        memory   vcpus  chain",
        "  leaf-1  leaf  frr       running  ready  1 min 1 s  2 h 0 min  384 MiB  1      1",
        "  s       leaf  frr       running  ready  1 min 1 s  2 h 0 min  384 MiB  1      3",
        "  s: x",
    ]


def test_what_is_unknown_is_a_dash() -> None:
    lab = LabStatus("lab", "u", (node(uptime=None, age=None, chain_depth=None, phase=""),))
    assert status_lines([lab], Paint())[-1].split() == (
        ["leaf-1", "leaf", "frr", "running", "-", "-", "-", "384", "MiB", "1", "-"]
    )


def test_a_lab_of_another_home_is_one_line() -> None:
    lab = LabStatus("lab", "u", (node(phase="", chain_depth=None),), home="/other")
    last = status_lines([lab], Paint())[-1]
    assert last.startswith("  belongs to another LABCTL_HOME, /other: ")
    assert "`LABCTL_HOME=/other labctl status lab`" in last


def test_a_killed_run_and_a_running_one_are_told() -> None:
    lab = LabStatus("lab", "u", (), locked_by="up (pid 7)", interrupted="start of leaf-1")
    text = "\n".join(status_lines([lab], Paint()))
    assert "at work on it now: up (pid 7)" in text
    assert "left unfinished: start of leaf-1; the next `labctl up`" in text


def test_snapshots_at_a_glance() -> None:
    def last(**known: Any) -> str:
        lab = LabStatus("lab", "u", (), snapshots=SnapshotSummary(**known))
        return status_lines([lab], Paint())[-1]

    assert last() == "lab on u: not up"
    assert last(number=1, size=2**20, oldest=9.0) == "  1 snapshot, 1.0 MiB, 9.0 s old"
    three = last(number=3, size=3 * 2**30, oldest=7200.0)
    assert three == "  3 snapshots, 3.0 GiB, the oldest 2 h 0 min old"
    assert last(unfinished=("a", "b")) == "  no whole snapshot: a, b"
