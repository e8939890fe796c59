"""The short way to a command is the same as typer's, and takes no command line it might misread."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from harness.results import Replace
from labctl.cli import app
from labctl.cli.main import main
from labctl.cli.quick import Asked, parse
from labctl.ops.results import LabStatus

LAB = "lab: small\nfabric: {spines: 1, leaves: 1}\n"
PLAIN = {
    "status": Asked("status", None, (), False),
    "status lab": Asked("status", None, ("lab",), False),
    "status --json": Asked("status", None, (), True),
    "status --json lab": Asked("status", None, ("lab",), True),
    "-c test:///default status": Asked("status", "test:///default", (), False),
    "--connect test:///default status lab --json": Asked(
        "status", "test:///default", ("lab",), True
    ),
    "validate lab.yaml": Asked("validate", None, ("lab.yaml",), False),
    "validate - --json": Asked("validate", None, ("-",), True),
    "render lab.yaml out": Asked("render", None, ("lab.yaml", "out"), False),
    "-c x render - ./out/ --json": Asked("render", "x", ("-", "./out/"), True),
}


@pytest.mark.parametrize(("words", "asked"), PLAIN.items())
def test_the_plain_forms(words: str, asked: Asked) -> None:
    assert parse(words.split()) == asked


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
        "validate",
        "validate a b",
        "validate --help",
        "validate -- lab.yaml",
        "render lab.yaml",
        "render lab.yaml out --verbose",
        "-q render lab.yaml out",
    ],
)
def test_everything_else_is_left_to_typer(words: str) -> None:
    assert parse(words.split()) is None


@pytest.mark.parametrize("words", [words for words in PLAIN if "status" in words])
def test_both_ways_show_the_same_status(
    words: str, operation: Replace, capsys: pytest.CaptureFixture[str]
) -> None:
    calls = operation("status.status", (LabStatus("lab", "u", ()),))
    codes = main(words.split()), app.run(words.split())
    shown = capsys.readouterr().out
    assert codes == (0, 0)
    half = len(shown) // 2
    assert shown[:half] == shown[half:]
    ((quick_context, quick_lab), _), ((context, lab), _) = calls
    assert (quick_context.uri, quick_lab) == (context.uri, lab)


@pytest.mark.parametrize(
    "words", ["validate lab.yaml", "validate lab.yaml --json", "render lab.yaml ./out/ --json"]
)
def test_both_ways_do_the_same_with_a_file(
    words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LABCTL_HOME", str(tmp_path / "home"))
    (tmp_path / "lab.yaml").write_text(LAB)
    shown = []
    for way in (main, app.run):
        assert way(words.split()) == 0
        shown.append(capsys.readouterr().out)
    assert shown[0] == shown[1] != ""


@pytest.mark.parametrize(
    ("words", "slow"),
    [
        ("-c test:///default status", "typer rich jinja2 yaml dataclasses"),
        ("validate lab.yaml", "typer rich jinja2 subprocess libvirt"),
        ("render lab.yaml out", "typer rich subprocess libvirt"),
    ],
)
def test_the_short_way_imports_nothing_slow(words: str, slow: str, tmp_path: Path) -> None:
    (tmp_path / "lab.yaml").write_text(LAB)
    script = (
        "import sys; from labctl.cli.main import main\n"
        f"assert main({words.split()}) == 0\n"
        f"print(*set({slow.split()}) & set(sys.modules), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        cwd=tmp_path,
        env={**os.environ, "LABCTL_HOME": str(tmp_path / "home")},
    )
    assert done.stderr == "\n"


@pytest.mark.parametrize("words", ["-o out", "--output out", "out"])
def test_the_folder_of_render_is_an_argument_or_an_option(
    words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LABCTL_HOME", str(tmp_path / "home"))
    (tmp_path / "lab.yaml").write_text(LAB)
    assert main(["render", "lab.yaml", *words.split()]) == 0
    assert (tmp_path / "out" / "nodes").is_dir()


@pytest.mark.parametrize("words", ["", "out -o other"])
def test_but_it_is_one_folder(
    words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "lab.yaml").write_text(LAB)
    assert main(["render", "lab.yaml", *words.split()]) == 2
    assert "one folder to write to" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
