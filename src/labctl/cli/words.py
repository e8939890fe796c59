"""Where a command for nodes begins on labctl's command line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

VALUED = frozenset({"--connect", "-c", "--node", "-n", "--timeout"})
"""Options before a command for nodes whose value is a word of its own."""
_END = "--"


def separated(argv: Sequence[str]) -> Sequence[str]:
    """`argv` with `--` before the first word of the command in `exec [OPTIONS] LAB COMMAND...`.

    From there on options are the command's own, as with ssh. Anything else is given back as it is.
    """
    places = _arguments(argv)
    command = next(places, None)
    if command is None or argv[command] != "exec":
        return argv
    next(places, None)  # LAB
    first = next(places, len(argv))
    return [*argv[:first], _END, *argv[first:]] if first < len(argv) else argv


def _arguments(argv: Sequence[str]) -> Iterator[int]:
    """Where in `argv` the words stand that are neither options nor their values; none after --."""
    is_value = False
    for place, word in enumerate(argv):
        if word == _END and not is_value:
            return
        if not is_value and (word == "-" or not word.startswith("-")):
            yield place
        is_value = word in VALUED and not is_value
