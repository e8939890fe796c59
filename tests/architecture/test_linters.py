"""The linters are tests. A tool that is missing fails: `make setup` brings it."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPTS = [ROOT / ".ci" / "run", *(path for path in (ROOT / "scripts").iterdir() if path.is_file())]


def check(*argv: str) -> None:
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr


def test_ruff() -> None:
    check(sys.executable, "-m", "ruff", "check", ".")


def test_format() -> None:
    check(sys.executable, "-m", "ruff", "format", "--check", ".")


def test_mypy() -> None:
    check(sys.executable, "-m", "mypy")


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_shellcheck(script: Path) -> None:
    first = script.read_text().splitlines()[0]
    if first.endswith(("sh", "bash")):
        tool = shutil.which("shellcheck")
        assert tool, "shellcheck is missing: scripts/install-packages --test"
        check(tool, str(script))
    else:
        assert first.startswith("#!/usr/bin/env python3")
