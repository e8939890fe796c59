"""scripts/make-venv: its pip keeps the machine's own matters to itself, and tells what fails."""

import re
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "scripts" / "make-venv"


def test_pip_shows_errors_and_no_warnings(tmp_path: Path) -> None:
    options = re.search(r"^pip=\(\S+ -m pip (.*)\)", SCRIPT.read_text(), re.MULTILINE)
    assert options
    # A machine's pip.conf may name places that aren't there; pip warns of each for each package.
    places = ["--no-index", "--find-links", str(tmp_path / "absent")]
    done = subprocess.run(
        [sys.executable, "-m", "pip", *options[1].split(), "install", *places, "labctl-absent"],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 1
    assert "ERROR: No matching distribution found for labctl-absent" in done.stderr
    assert "WARNING" not in done.stderr
