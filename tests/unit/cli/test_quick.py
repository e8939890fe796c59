"""The short way to `status` is the same as typer's, and takes no command line it might misread."""

import subprocess
import sys

import pytest

from harness.results import Replace
from labctl.cli import app
from labctl.cli.main import main
from labctl.cli.quick import Asked, parse
from labctl.ops.results import LabStatus

PLAIN = [
    ["status"],
    ["status", "lab"],
    ["status", "--json"],
    ["status", "--json", "lab"],
    ["-c", "test:///default", "status"],
    ["--connect", "test:///default", "status", "lab", "--json"],
]


def test_the_plain_forms() -> None:
    assert [parse(argv) for argv in PLAIN] == [
        Asked(None, None, False),
        Asked(None, "lab", False),
        Asked(None, None, True),
        Asked(None, "lab", True),
        Asked("test:///default", None, False),
        Asked("test:///default", "lab", True),
    ]


@pytest.mark.parametrize(
    "words",
    [
        "",
        "--help",
        "up lab",
        "status --help",
        "status a b",
        "status --jsno",
        "status -c test:///default",
        "-c",
        "-c status",
        "-q status",
        "--connect=test:///default status",
        "--version status",
    ],
)
def test_everything_else_is_left_to_typer(words: str) -> None:
    assert parse(words.split()) is None


@pytest.mark.parametrize("argv", PLAIN)
def test_both_ways_do_the_same(
    argv: list[str], operation: Replace, capsys: pytest.CaptureFixture[str]
) -> None:
    calls = operation("status.status", (LabStatus("lab", "u", ()),))
    codes = main(argv), app.run(argv)
    shown = capsys.readouterr().out
    assert codes == (0, 0)
    half = len(shown) // 2
    assert shown[:half] == shown[half:]
    ((quick_context, quick_lab), _), ((context, lab), _) = calls
    assert (quick_context.uri, quick_lab) == (context.uri, lab)


def test_the_short_way_imports_nothing_slow() -> None:
    script = (
        "import sys; from labctl.cli.main import main\n"
        "main(['-c', 'test:///default', 'status'])\n"
        "slow = {'typer', 'rich', 'pydantic', 'jinja2', 'yaml', 'dataclasses'}\n"
        "print(*slow & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.splitlines()[1] == ""
