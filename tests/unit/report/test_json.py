import json
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Address, IPv4Interface
from pathlib import Path
from typing import NamedTuple

import pytest

from labctl.errors import (
    HypervisorError,
    NodesFailed,
    PreflightRefused,
    Problem,
    TopologyError,
)
from labctl.model.finding import Finding, PreflightReport, Severity
from labctl.report.json import dump, to_data


class Colour(StrEnum):
    RED = "red"


@dataclass(frozen=True, slots=True)
class Thing:
    colour: Colour
    where: Path
    addresses: frozenset[IPv4Address]
    inner: tuple["Thing", ...] = ()


class Pair(NamedTuple):
    left: Colour
    right: tuple[int, ...]


def test_named_tuples_become_objects_with_their_field_names() -> None:
    assert to_data(Pair(Colour.RED, (1, 2))) == {"left": "red", "right": [1, 2]}


def test_dataclasses_become_objects_with_their_field_names() -> None:
    leaf = Thing(Colour.RED, Path("/x"), frozenset({IPv4Address("10.0.0.2")}))
    thing = Thing(
        Colour.RED, Path("/y"), frozenset(map(IPv4Address, ("10.0.0.9", "10.0.0.1"))), (leaf,)
    )
    assert to_data(thing) == {
        "colour": "red",
        "where": "/y",
        "addresses": ["10.0.0.1", "10.0.0.9"],
        "inner": [{"colour": "red", "where": "/x", "addresses": ["10.0.0.2"], "inner": []}],
    }


def test_keys_of_mappings_become_text() -> None:
    assert to_data({1: IPv4Interface("10.0.0.1/24")}) == {"1": "10.0.0.1/24"}


def test_what_has_no_form_is_refused_rather_than_guessed() -> None:
    with pytest.raises(TypeError, match="object has no JSON form"):
        dump(object())


def test_a_wrong_file_is_told_problem_by_problem() -> None:
    problem = Problem("lab.yaml", 3, 5, "unknown key 'spine'", "did you mean 'spines'?")
    data = json.loads(dump({"error": TopologyError([problem])}))["error"]
    assert data["kind"] == "TopologyError"
    assert data["exit_code"] == 3
    assert data["problems"] == [
        {
            "file": "lab.yaml",
            "line": 3,
            "column": 5,
            "message": "unknown key 'spine'",
            "hint": "did you mean 'spines'?",
        }
    ]


def test_causes_are_told_with_the_error() -> None:
    cause = HypervisorError("gone", details="socket closed")
    data = to_data(NodesFailed("1 of 2", causes=[cause, ValueError("odd")]))
    assert [c["brief"] if isinstance(c, dict) else c for c in data["causes"]] == ["gone", "odd"]


def test_a_refusal_carries_its_findings() -> None:
    finding = Finding("memory", Severity.REFUSE, "too much", evidence={"needed": 48})
    report = PreflightReport("lab", "qemu:///system", "qemu", (finding,))
    data = to_data(PreflightRefused("no", report=report))
    assert data["preflight"]["findings"][0]["evidence"] == {"needed": 48}
