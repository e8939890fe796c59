"""The two jinja2 environments, and the guards that keep values from becoming structure.

Whatever a template puts in comes through a guard: in XML it is escaped and must be printable, in
configurations it must be one printable word, so that no value can begin a line or an argument of
its own. Only `Verbatim` passes as it is: text the user wrote to be configuration.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from labctl.errors import InternalError

TEMPLATES = Path(__file__).parent.parent / "templates"
_DAY0 = "day0"


class Verbatim(str):
    """Configuration text of the user's own: lines, spaces and tabs, no other control characters."""

    __slots__ = ()


@cache
def xml_environment() -> Environment:
    """Where domain and network XML is rendered."""
    return _environment(autoescape=True, finalize=_printable)


@cache
def config_environment() -> Environment:
    """Where day-0 files are rendered."""
    return _environment(autoescape=False, finalize=_word)


@cache
def day0_templates(folders: tuple[str, ...]) -> dict[str, Template]:
    """The day-0 files whose templates are in `folders`, by file name."""
    return {
        path.stem: config_environment().get_template(path.relative_to(TEMPLATES).as_posix())
        for folder in folders
        for path in sorted((TEMPLATES / _DAY0 / folder).glob("*.j2"))
    }


def _environment(*, autoescape: bool, finalize: object) -> Environment:
    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        autoescape=autoescape,
        finalize=finalize,  # type: ignore[arg-type]
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        auto_reload=False,
    )


def _printable(value: object) -> object:
    if str(value).isprintable():
        return value
    raise InternalError(f"{str(value)!r} can't stand in XML", resolution=_REPORT)


def _word(value: object) -> str:
    text = str(value)
    if text.isprintable() and " " not in text:
        return text
    if isinstance(value, Verbatim) and text.translate(_LAYOUT).isprintable():
        return text
    raise InternalError(f"{text!r} can't stand in a configuration", resolution=_REPORT)


_LAYOUT = {ord("\n"): " ", ord("\t"): " "}
_REPORT = "please report this: the file's checks should have refused it"
