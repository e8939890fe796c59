"""What the documents promise is there, and what is there is documented."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from labctl.cli.commands import COMMANDS
from labctl.cli.main import main
from labctl.errors import ExitCode
from labctl.topology.platforms import load_platforms

ROOT = Path(__file__).parents[2]
DOCS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
_COMMAND = re.compile(r"(?:^|[`$| ])labctl ([a-z]+(?:-[a-z]+)*)\b(?! is| are| has)", re.MULTILINE)
_LINK = re.compile(r"\]\((?!https?:)([^)#]+)")
_DEMO = ROOT / "tests/golden/evpn-2x2/nodes"
_CODE = re.compile(r"```.*?```|`[^`\n]+`", re.DOTALL)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([name, "--help"]) == 0
    shown = capsys.readouterr().out
    assert f"Usage: labctl {name}" in shown


@pytest.mark.parametrize("path", DOCS, ids=lambda path: str(path.relative_to(ROOT)))
def test_commands_in_documents_exist(path: Path) -> None:
    code = "\n".join(_CODE.findall(path.read_text()))
    named = set(_COMMAND.findall(code))
    assert named <= set(COMMANDS), named - set(COMMANDS)


@pytest.mark.parametrize("path", DOCS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_between_documents_lead_somewhere(path: Path) -> None:
    for target in _LINK.findall(path.read_text()):
        assert (path.parent / target).exists(), target


def test_make_targets_in_documents_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for path in DOCS:
        code = "\n".join(_CODE.findall(path.read_text()))
        named = set(re.findall(r"(?:^|[`$ ])make ([a-z-]+)", code, re.MULTILINE))
        assert named <= targets, f"{path.name}: {named - targets}"


def test_bgp_neighbours_in_documents_are_configured_on_the_demos_nodes() -> None:
    named = {
        found
        for path in DOCS
        for found in re.findall(
            r"exec evpn-2x2 --node (\S+) --shell .*'neighbor (\S+)", path.read_text()
        )
    }
    assert named
    for node, neighbour in named:
        assert f"neighbor {neighbour} " in (_DEMO / node / "day0/frr.conf").read_text()


def test_addresses_pinged_in_documents_are_the_demos_hosts() -> None:
    there = {
        address
        for node in _DEMO.glob("host-*")
        for address in re.findall(r"address add ([\d.]+)/", (node / "day0/ip.batch").read_text())
    }
    pinged = {
        found for path in DOCS for found in re.findall(r"ping -c \d+ ([\d.]+)", path.read_text())
    }
    assert pinged
    assert pinged <= there, pinged - there


def test_topologies_in_documents_exist() -> None:
    for path in DOCS:
        for name in re.findall(r"labctl (?:up|plan) (\S+/)?(evpn-\S+\.yaml)", path.read_text()):
            assert (ROOT / "".join(name)).exists(), f"{path.name}: {''.join(name)}"


@pytest.mark.parametrize("platform", ["frr", "linux"])
def test_console_login_stands_where_the_readme_shows_the_console(platform: str) -> None:
    login = load_platforms()[platform].console_login
    found = re.match(r"user (\w+), password (\w+);", login)
    assert found
    text = (ROOT / "README.md").read_text()
    (shown,) = [part for part in text.split("\n\n") if "Look around: `labctl console" in part]
    assert f"user `{found[1]}`, password `{found[2]}`" in shown


def test_exit_codes_are_documented_as_they_are() -> None:
    text = (ROOT / "docs" / "reference" / "exit-codes.md").read_text()
    rows = re.findall(r"^\| (\d+) \| `(\w+)` \|", text, re.MULTILINE)
    assert {(int(number), name) for number, name in rows} == {
        (code.value, code.name) for code in ExitCode
    }


def test_generated_pages_are_up_to_date() -> None:
    script = str(ROOT / "docs" / "generate.py")
    done = subprocess.run(
        [sys.executable, script, "--check"], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
