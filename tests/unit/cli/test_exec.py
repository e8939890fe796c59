"""Whose an option of `exec` is: labctl's before the command's first word, the node's after it."""

import pytest
from typer.main import get_command

from harness.results import Replace
from labctl.cli.app import build
from labctl.cli.main import main
from labctl.cli.words import VALUED, separated
from labctl.ops.results import ExecResult

DONE = (ExecResult("host-1", "x", 0, "", ""),)


@pytest.mark.parametrize(
    ("words", "command", "nodes", "shell"),
    [
        ("exec pair uptime", "uptime", (), False),
        ("exec pair -n host-1 ping -c 2 10.0.0.1", "ping -c 2 10.0.0.1", ["host-1"], False),
        ("exec -n host-1 pair ls -h", "ls -h", ["host-1"], False),
        ("exec pair ls --help", "ls --help", (), False),
        ("exec pair --node host-1 ping -n 10.0.0.1", "ping -n 10.0.0.1", ["host-1"], False),
        ("exec pair --node=host-1 --shell ip -j link", "ip -j link", ["host-1"], True),
        ("exec pair --timeout 5 --json -nhost-1 x --json", "x --json", ["host-1"], False),
        ("exec pair -- ip -br link", "ip -br link", (), False),
        ("exec pair -n host-1 -- -x", "-x", ["host-1"], False),
        ("exec pair x -- y", "x -- y", (), False),
        ("-c test:///default -q exec pair x -q", "x -q", (), False),
        ("exec - x -c y", "x -c y", (), False),
    ],
)
def test_options_behind_the_first_word_are_the_commands_own(
    words: str, command: str, nodes: object, shell: bool, operation: Replace
) -> None:
    calls = operation("exec.execute", DONE)
    assert main(words.split()) == 0
    ((_, _, asked), options) = calls[0]
    assert (asked, options["nodes"], options["shell"]) == (command, nodes, shell)


@pytest.mark.parametrize(
    "words",
    ["", "exec", "exec pair", "exec pair -n", "exec --help", "up pair -n a", "-c exec up x"],
)
def test_what_is_no_command_for_nodes_stays_as_it_is(words: str) -> None:
    assert separated(words.split()) == words.split()


def test_json_of_the_nodes_command_makes_no_json_of_labctls_errors(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["exec", "--bad-option", "pair", "ip", "--json"]) == 2
    assert capsys.readouterr().out == ""


def test_all_options_with_values_are_known() -> None:
    root = get_command(build())
    exec_ = root.commands["exec"]  # type: ignore[attr-defined]
    valued = {
        name
        for option in (*root.params, *exec_.params)
        if option.param_type_name == "option" and not getattr(option, "is_flag", False)
        for name in option.opts
    }
    assert valued == VALUED
