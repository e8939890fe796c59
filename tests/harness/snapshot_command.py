"""`labctl snapshot` as typed, on a lab of two nodes with a retention policy."""

from __future__ import annotations

import json
from typing import Any

import pytest

from harness.site import LAB, Site, pair
from labctl.cli.main import main
from labctl.ops.snapshots import Snapshots

Capture = pytest.CaptureFixture[str]
POLICY = "snapshots: {keep_last: 3, protect: [golden]}\n"


def with_policy(site: Site) -> Site:
    """The site with its two nodes up, and the policy in force."""
    site.write(pair("a", "b", extra=POLICY))
    site.up()
    return site


def labctl(*words: str, code: int = 0) -> None:
    assert main(["snapshot", *words]) == code


def told(capsys: Capture, *words: str, code: int = 0) -> str:
    """What it printed."""
    capsys.readouterr()
    labctl(*words, code=code)
    return capsys.readouterr().out


def data(capsys: Capture, *words: str, code: int = 0) -> Any:
    """What it printed with --json."""
    return json.loads(told(capsys, *words, "--json", code=code))


def create(*names: str) -> None:
    for name in names:
        labctl("create", LAB, name)


def names(lab: Site) -> tuple[str, ...]:
    """The snapshots that are there."""
    return Snapshots(lab.home.lab(LAB)).names()
