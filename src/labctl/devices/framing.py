"""Several commands in one guest process: the script that runs them and the parser of its output.

The script is a constant; commands are read from its standard input, a line each, and run by
the guest's shell, all at once: most of them wait (pings for answers, shows for daemons). Before
each output comes a marker line with the command's number, after it one with its exit code.

Under TCG the start of a program costs more than what it does here, above all right after a warm
start. So the shell itself does what it can; each command is a job with a process group of its own
(`set -m`), by which it is ended when it takes too long.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from labctl.devices.agent import Batch

SHELL = "bash"
"""Not sh: that may be busybox's, which takes its own ip and ping for iproute2's and iputils'."""
COMMAND_SECONDS = 40
"""What a single command may take; a hung daemon must not take the other outputs with it."""
_TIMED_OUT = 143
"""The exit code of what SIGTERM ended."""
_MARK = "@labctl-output@"
_SCRIPT = f"""d=$(mktemp -d) || exit
trap 'rm -rf "$d"' EXIT
set -m
jobs=()
while IFS= read -r line; do
  (eval "$line") </dev/null >"$d/${{#jobs[@]}}" 2>&1 &
  jobs+=($!)
done
(sleep {COMMAND_SECONDS}; kill -- "${{jobs[@]/#/-}}") >/dev/null 2>&1 &
for i in "${{!jobs[@]}}"; do
  wait "${{jobs[i]}}"
  code=$?
  IFS= read -r -d '' text <"$d/$i"
  printf '\\n{_MARK} %d\\n%s\\n{_MARK} exit %d\\n' "$i" "$text" "$code"
done
kill -- "-$!" 2>/dev/null || :
"""
_SECTION = re.compile(rf"^{_MARK} (\d+)\n(.*?)\n{_MARK} exit (\d+)$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Section:
    """What one command printed; `timed_out`: it was ended for it took too long."""

    text: str
    timed_out: bool


def shell_batch(lines: Sequence[str]) -> Batch:
    """`lines` of shell as one process; ValueError for one that is no single line."""
    for line in lines:
        if "\n" in line or "\0" in line:
            raise ValueError(f"not a single line: {line!r}")
    return Batch((SHELL, "-c", _SCRIPT), "".join(f"{line}\n" for line in lines))


def split_sections(commands: Sequence[str], output: str) -> Mapping[str, Section]:
    """What each command printed that ran to its end or was ended."""
    found = {
        int(match[1]): Section(match[2], int(match[3]) == _TIMED_OUT)
        for match in _SECTION.finditer(output)
    }
    return {command: found[number] for number, command in enumerate(commands) if number in found}
