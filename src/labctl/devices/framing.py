"""Several commands in one guest process: the script that runs them and the parser of its output.

The script is a constant; commands are read from its standard input, a line each, and run by
bash (a busybox sh would run its own `ip` and `ping`). Before each output comes a marker line with the command's number, after the
last one a marker that says the process came to its end.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from labctl.devices.api import Batch

_MARK = "@labctl-output@"
_SCRIPT = f"""n=0
while IFS= read -r line; do
  printf '\\n{_MARK} %d\\n' "$n"
  bash -c "$line" </dev/null 2>&1
  printf '\\n{_MARK} exit %d\\n' "$?"
  n=$((n + 1))
done
"""
_SECTION = re.compile(rf"^{_MARK} (\d+)\n(.*?)\n{_MARK} exit \d+$", re.MULTILINE | re.DOTALL)


def shell_batch(lines: Sequence[str]) -> Batch:
    """`lines` of shell as one process; ValueError for one that is no single line."""
    for line in lines:
        if "\n" in line or "\0" in line:
            raise ValueError(f"not a single line: {line!r}")
    return Batch(("sh", "-c", _SCRIPT), "".join(f"{line}\n" for line in lines))


def split_sections(commands: Sequence[str], output: str) -> Mapping[str, str]:
    """The output of each command that ran to its end."""
    found = {int(match[1]): match[2] for match in _SECTION.finditer(output)}
    return {command: found[number] for number, command in enumerate(commands) if number in found}
