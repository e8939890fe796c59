"""A command group that imports a command's module when the command is asked for, not before."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

from labctl.cli.commands import COMMANDS
from labctl.errors import UsageError

Command = Any  # the class is private to typer


class LazyCommands(MutableMapping[str, Command]):
    """Name -> command, each built when first looked up."""

    def __init__(self) -> None:
        self._built: dict[str, Command] = {}

    def __getitem__(self, name: str) -> Command:
        if name not in self._built:
            self._built[name] = _build(name)
        return self._built[name]

    def __setitem__(self, name: str, command: Command) -> None:
        self._built[name] = command

    def __delitem__(self, name: str) -> None:
        del self._built[name]

    def __iter__(self) -> Iterator[str]:
        return iter(COMMANDS)

    def __len__(self) -> int:
        return len(COMMANDS)

    def __contains__(self, name: object) -> bool:
        return name in COMMANDS


def _build(name: str) -> Command:
    entry = COMMANDS[name]  # KeyError is what a mapping owes for an unknown name
    module = import_module(f"labctl.cli.{entry.module}")
    app = typer.Typer(add_completion=False, rich_markup_mode=None, help=f"{entry.line}.")
    if commands := getattr(module, "COMMANDS", None):
        app.callback()(lambda: None)
        for word, function in commands.items():
            app.command(word)(function)
    else:
        app.command(name)(module.command)
    command = get_command(app)
    command.name = name
    return command


class LazyGroup(TyperGroup):
    """`labctl` itself: commands from the table, help in the table's sections."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.commands = LazyCommands()

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Find the command; `version`, which others have as one, is an option here."""
        if args[0] == "version":
            raise UsageError(
                "labctl has no command 'version'", resolution="`labctl --version` prints it"
            )
        return super().resolve_command(ctx, args)

    def format_commands(self, _ctx: Any, formatter: Any) -> None:
        """Write the commands' one-liners by section, importing none of them."""
        sections: dict[str, list[tuple[str, str]]] = {}
        for name, entry in COMMANDS.items():
            sections.setdefault(entry.section, []).append((name, entry.line))
        for section, rows in sections.items():
            with formatter.section(section):
                formatter.write_dl(rows)
