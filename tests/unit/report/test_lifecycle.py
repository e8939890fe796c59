from pathlib import Path

from labctl.errors import DeadlineError
from labctl.ops.results import (
    Belongings,
    DestroyResult,
    DownResult,
    LinkResult,
    NodeOutcome,
    SaveResult,
)
from labctl.report import lifecycle
from labctl.report.paint import Paint

LATE = NodeOutcome(
    "leaf-1",
    "boot",
    60.0,
    phase="kernel",
    error=DeadlineError("no daemons within 60 s", resolution="look at the console"),
    tail=("booting", "Kernel panic\x1b[2J"),
)


def test_a_failed_node_names_its_phase_and_its_last_words() -> None:
    assert lifecycle.failed_lines(LATE, Paint()) == [
        "leaf-1 failed (boot in phase kernel, after 1 min 0 s): no daemons within 60 s",
        "  its console said last:",
        "    | booting",
        "    | Kernel panic�[2J",
        "  next: look at the console",
    ]


def test_down_counts_what_is_off_and_names_what_is_not() -> None:
    lines = lifecycle.down_lines(
        DownResult("lab", (LATE, NodeOutcome("leaf-2", "stop", 1.0)), 3.0), Paint()
    )
    assert lines[0].startswith("leaf-1 failed")
    assert lines[-1].startswith("lab: 1 node off after 3.0 s, disks kept")


def test_destroy_names_everything_before_and_counts_it_after() -> None:
    owned = Belongings("lab", ("lab.a", "lab.b"), ("labctl-lab",), Path("/h/labs/lab"))
    before = lifecycle.belongings_lines(owned, Paint())
    for name in ("lab.a", "lab.b", "labctl-lab", "/h/labs/lab"):
        assert any(name in line for line in before)
    after = lifecycle.destroy_lines(DestroyResult("lab", owned, 2.0), Paint())
    assert "2 machines, 1 network" in after[0]


def test_destroying_nothing_is_no_failure_but_is_told() -> None:
    nothing = Belongings("lab", (), (), None)
    assert (
        "nothing to destroy"
        in lifecycle.destroy_lines(DestroyResult("lab", nothing, 0.0), Paint())[0]
    )


def test_save_lists_files_and_the_nodes_without_configuration() -> None:
    result = SaveResult(
        "lab", Path("out"), (Path("out/leaf-1.cfg"),), ("host-1",), (NodeOutcome("leaf-1", "", 1),)
    )
    assert lifecycle.save_lines(result, Paint()) == [
        "out/leaf-1.cfg",
        "no configuration of their own: host-1",
    ]


def test_link_says_whether_anything_changed() -> None:
    assert lifecycle.link_lines(LinkResult("lab", "a:e1", True, False), Paint()) == ["a:e1 is down"]
    assert lifecycle.link_lines(LinkResult("lab", "a:e1", True, True), Paint()) == [
        "a:e1 was up already"
    ]


def test_of_a_lab_that_is_not_here_is_said_what_could_be_meant() -> None:
    nothing = Belongings("evnp-2x2", (), (), None)
    result = DestroyResult("evnp-2x2", nothing, 0.0, ("evpn-2x2", "other"))
    assert lifecycle.destroy_lines(result, Paint()) == [
        "evnp-2x2: nothing to destroy, no such lab is here; did you mean evpn-2x2? "
        "(labs here: evpn-2x2, other)"
    ]
