import json
import subprocess
import sys
from pathlib import Path

import pytest

from labctl import __version__
from labctl.cli.commands import COMMANDS
from labctl.cli.main import main
from labctl.errors import LabLocked
from labctl.model.paths import Home

LAB = "no-such-lab"


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LABCTL_HOME", str(tmp_path))
    monkeypatch.delenv("LABCTL_DEBUG", raising=False)


def fails_with(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    def load_lab(_ref: str, _home: Home) -> None:
        raise error

    monkeypatch.setattr("labctl.ops.load.load_lab", load_lab)


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"labctl {__version__}\n"


@pytest.mark.parametrize("argv", [[], ["--help"], ["-h"]])
def test_help_lists_every_command(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(argv) == 0
    shown = capsys.readouterr().out
    for name, entry in COMMANDS.items():
        assert f"  {name} " in shown
        assert entry.line in shown


def test_help_imports_no_command_and_none_of_the_domain() -> None:
    script = (
        "import sys; from labctl.cli.main import main; main(['--help'])\n"
        "print(*[m for m in sys.modules if m.startswith('labctl')], file=sys.stderr)\n"
        "heavy = {'rich.console', 'libvirt', 'jinja2', 'yaml'} & set(sys.modules)\n"
        "print(*heavy, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60
    )
    modules, heavy = done.stderr.splitlines()
    known = {"labctl", "labctl.errors", "labctl.cli", "labctl.report", "labctl.report.paint"}
    known |= {
        f"labctl.cli.{name}"
        for name in ("main", "quick", "words", "app", "lazy", "commands", "output", "session")
    }
    assert set(modules.split()) == known
    assert heavy == ""


def test_an_unknown_command_is_a_usage_error_with_a_guess(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["destory", LAB]) == 2
    assert "Did you mean 'destroy'?" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("option", "form"),
    [("-c", "--connect URI"), ("--connect", "--connect URI"), ("-q", "-q"), ("-v", "-v")],
)
def test_a_global_option_behind_the_command_is_told_where_it_belongs(
    option: str, form: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["status", option, "test:///default"]) == 2
    assert f"stands before the command: `labctl {form} COMMAND`" in capsys.readouterr().err


def test_version_is_an_option(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["version"]) == 2
    told = capsys.readouterr().err
    assert "`labctl --version`" in told
    assert "verify" not in told


def test_errors_go_to_stderr_in_words(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fails_with(monkeypatch, LabLocked("lab is at work", details="up (pid 7)", resolution="wait"))
    assert main(["validate", LAB]) == 10
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err == "labctl: lab is at work\n  up (pid 7)\nnext: wait\n"


def test_under_json_errors_are_the_one_document_on_stdout(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fails_with(monkeypatch, LabLocked("lab is at work"))
    assert main(["validate", LAB, "--json"]) == 10
    shown = capsys.readouterr()
    assert shown.err == ""
    assert json.loads(shown.out)["error"]["brief"] == "lab is at work"


def test_usage_errors_are_json_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["validate", "--json"]) == 2
    assert json.loads(capsys.readouterr().out)["error"]["exit_code"] == 2


def test_json_behind_two_dashes_belongs_to_the_nodes_command(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["exec", "--bad-option", LAB, "--", "ip", "--json"]) == 2
    assert capsys.readouterr().out == ""


def test_a_fault_of_labctl_says_where_and_how_to_see_more(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fails_with(monkeypatch, ZeroDivisionError("division by zero"))
    assert main(["validate", LAB]) == 1
    told = capsys.readouterr().err
    assert "a fault of labctl: ZeroDivisionError: division by zero" in told
    assert f"{__file__}:" in told
    assert "LABCTL_DEBUG=1" in told
    assert "Traceback" not in told


def test_debug_shows_the_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LABCTL_DEBUG", "1")
    fails_with(monkeypatch, ZeroDivisionError())
    assert main(["validate", LAB]) == 1
    assert "Traceback" in capsys.readouterr().err


def test_ctrl_c_is_exit_code_130(monkeypatch: pytest.MonkeyPatch) -> None:
    fails_with(monkeypatch, KeyboardInterrupt())
    assert main(["validate", LAB]) == 130


def test_a_reader_that_goes_away_is_no_error() -> None:
    script = "import sys; from labctl.cli.main import run; sys.argv = ['labctl', 'schema']; run()"
    labctl = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert labctl.stdout is not None
    assert labctl.stderr is not None
    labctl.stdout.close()
    told = labctl.stderr.read()
    labctl.stderr.close()
    assert labctl.wait(60) == -13
    assert told == b""
