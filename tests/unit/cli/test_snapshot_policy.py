"""The retention policy from the command line to the fake: what it prunes, and what is told."""

from __future__ import annotations

import json

import pytest

from harness.site import LAB, Site, pair
from harness.snapshot_command import POLICY, Capture, create, data, labctl, names, told, with_policy
from labctl.cli.main import main
from labctl.ops.events import Notice


@pytest.fixture
def lab(by_command_line: Site, own_home: None) -> Site:
    return with_policy(by_command_line)


@pytest.fixture
def own_home() -> None:
    """The site's, not the one of the other tests here."""


def policy_notices(lab: Site) -> list[str]:
    notices = [each.text for each in lab.events if isinstance(each, Notice)]
    return [text for text in notices if text.startswith("retention policy")]


def test_the_policy_is_applied(lab: Site, capsys: Capture) -> None:
    create("golden", "one", "two")
    assert "near a limit" not in told(capsys, "create", LAB, "three")
    assert "pruned one (" in told(capsys, "create", LAB, "four")
    assert names(lab) == ("four", "golden", "three", "two")


def test_prune_says_before_and_does(lab: Site, capsys: Capture) -> None:
    create("one", "two", "three")
    lab.write(pair("a", "b", extra="snapshots: {keep_last: 1}\n"))
    out = told(capsys, "prune", str(lab.file), "--dry-run")
    assert "would prune one (" in out
    assert names(lab) == ("one", "three", "two")
    assert "pruned two (" in told(capsys, "prune", str(lab.file))
    assert names(lab) == ("three",)


def test_a_limit_that_pruning_can_t_keep_is_told(lab: Site, capsys: Capture) -> None:
    create("golden", "one")
    policy = {"max_size": 1, "protect": ["golden"]}
    lab.home.lab(LAB).retention.write_text(json.dumps(policy))
    (line,) = [
        line for line in told(capsys, "create", LAB, "two").splitlines() if "a limit" in line
    ]
    assert line.startswith("  beyond a limit: ")
    assert line.endswith(
        "; what is protected, the newest, and what the lab stands on are never pruned"
    )
    assert names(lab) == ("golden", "two")
    for dry in ([], ["--dry-run"]):
        lines = told(capsys, "prune", LAB, *dry).splitlines()
        assert lines[-2].startswith("  2 snapshots of ")
        assert lines[-1].startswith("  beyond a limit: ")
    assert len(data(capsys, "prune", LAB)["beyond"]) == 1
    lab.home.lab(LAB).retention.write_text(json.dumps({"max_size": 1024**4}))
    assert "a limit" not in told(capsys, "create", LAB, "three") + told(capsys, "prune", LAB)


def test_a_policy_is_taken_where_nothing_is_to_do(lab: Site, capsys: Capture) -> None:
    create("one", "two", "three")
    lab.write(pair("a", "b", extra="snapshots: {keep_last: 1}\n"))
    assert lab.up().plan.empty
    assert "pruned two (" in told(capsys, "prune", LAB)
    assert names(lab) == ("three",)


@pytest.mark.parametrize(
    ("extra", "news"),
    [
        ("snapshots: {keep_last: 1}\n", "retention policy is now: keep_last 1"),
        ("", "retention policy is gone: nothing is pruned any more"),
        (POLICY, ""),
        ("\n" + POLICY, ""),
    ],
)
def test_up_tells_of_another_policy(lab: Site, extra: str, news: str) -> None:
    assert policy_notices(lab) == []
    lab.write(pair("a", "b", extra=extra))
    lab.up()
    lab.up()
    assert policy_notices(lab) == [news] * bool(news)


@pytest.mark.parametrize("text", [None, "{"])
def test_another_policy_than_one_not_kept_or_unreadable(lab: Site, text: str | None) -> None:
    kept = lab.home.lab(LAB).retention
    kept.unlink()
    if text is not None:
        kept.write_text(text)
    lab.up()
    in_force = "" if text is None else "retention policy is now: keep_last 3, protect golden"
    assert policy_notices(lab) == [in_force] * bool(in_force)


def test_a_restore_leaves_the_policy_in_force(lab: Site, capsys: Capture) -> None:
    create("one")
    lab.write(pair("a", "b", extra="snapshots: {keep_last: 1, protect: [one]}\n"))
    lab.up()
    labctl("restore", LAB, "one", "--no-safety", "--yes")
    assert "golden" in lab.home.lab(LAB).topology.read_text()
    main(["up", LAB, "--no-verify"])
    assert "policy: keep_last 1, protect one" in told(capsys, "list", LAB)
    labctl("delete", LAB, "one", "--yes", code=11)


@pytest.mark.parametrize("text", ["{", "[]", '{"keep": 1}'])
def test_a_policy_that_cannot_be_made_out_prunes_nothing(
    lab: Site, capsys: Capture, text: str
) -> None:
    create("one", "two", "three", "four")
    lab.home.lab(LAB).retention.write_text(text)
    assert "so nothing is pruned" in told(capsys, "prune", LAB)


def test_without_a_policy_nothing_is_pruned(lab: Site, capsys: Capture) -> None:
    create("one")
    lab.write(pair("a", "b"))
    assert "so nothing is pruned" in told(capsys, "prune", str(lab.file))
    assert names(lab) == ("one",)
